DROP TABLE IF EXISTS salrs_api_answer;
