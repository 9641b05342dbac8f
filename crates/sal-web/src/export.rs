//! Lists as files: CSV, JSON Lines and workbooks, written while the database is read, so that memory stays flat.
//!
//! A spreadsheet runs a cell that begins like a formula; such texts get an apostrophe in front (CSV only; elsewhere a text is marked as one).

mod cell;
mod text;
mod xlsx;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, stream};
use sal_http::AppError;

use self::{text::TextFile, xlsx::Workbook};
pub(crate) use cell::{Cell, Lines, Rows, machine_cells, machine_heads};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma separated values with CRLF, as Django Sal writes them.
    Csv,
    /// One JSON object in each line; the last one is `{"end":true,"rows":N}`.
    Jsonl,
    /// A workbook, as spreadsheets have it.
    Xlsx,
}

impl Format {
    /// Reads `csv`, `jsonl` or `xlsx`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::Jsonl),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Answers with a file of this name, without its extension. `pages` are rows as the database hands them over; each row
/// has a cell for each column.
pub(crate) fn file<S, R>(format: Format, name: &str, columns: &[String], pages: S) -> Response
where
    S: Stream<Item = Result<R, AppError>> + Send + 'static,
    R: Rows,
{
    let body = match format {
        Format::Csv => Body::from_stream(text_chunks(TextFile::Csv, columns, pages)),
        Format::Jsonl => Body::from_stream(text_chunks(TextFile::jsonl(columns), columns, pages)),
        Format::Xlsx => Body::from_stream(workbook_chunks(columns, pages)),
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(format.media_type()),
        ),
        (
            header::CONTENT_DISPOSITION,
            disposition(name, format.extension()),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// A file of lines.
fn text_chunks<S, R>(
    file: TextFile,
    columns: &[String],
    pages: S,
) -> impl Stream<Item = Result<Bytes, AppError>> + Send + 'static
where
    S: Stream<Item = Result<R, AppError>> + Send + 'static,
    R: Rows,
{
    let head = Bytes::from(file.head(columns));
    let start = (Box::pin(pages), Some(file));
    let chunks = stream::try_unfold(start, |(mut pages, file)| async move {
        let Some(mut file) = file else {
            return Ok(None);
        };
        let Some(page) = pages.next().await else {
            return Ok(Some((Bytes::from(file.end()), (pages, None))));
        };
        let ready = Bytes::from(file.add(&page.inspect_err(broke_off)?));
        Ok(Some((ready, (pages, Some(file)))))
    });
    stream::once(async { Ok(head) }).chain(chunks)
}

/// A workbook. One that broke off has no end, and no spreadsheet opens it as if it were whole.
fn workbook_chunks<S, R>(
    columns: &[String],
    pages: S,
) -> impl Stream<Item = Result<Bytes, AppError>> + Send + 'static
where
    S: Stream<Item = Result<R, AppError>> + Send + 'static,
    R: Rows,
{
    let start = (Box::pin(pages), Some(Workbook::new(columns)));
    stream::try_unfold(start, |(mut pages, workbook)| async move {
        let Some(mut workbook) = workbook else {
            return Ok(None);
        };
        let Some(page) = pages.next().await else {
            return Ok(Some((workbook.finish(), (pages, None))));
        };
        workbook.add(&page.inspect_err(broke_off)?);
        let ready = workbook.take();
        Ok(Some((ready, (pages, Some(workbook)))))
    })
}

/// As [`file`] answers with CSV, with the headers that Sal gives its own: the type without a charset, and the name with the
/// extension that Sal puts behind it, whatever it ends in already (`….csv.csv` in the inventory).
pub(crate) fn sals_csv<S, R>(name: &str, columns: &[String], pages: S) -> Response
where
    S: Stream<Item = Result<R, AppError>> + Send + 'static,
    R: Rows,
{
    let mut response = file(Format::Csv, name, columns, pages);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv"));
    headers.insert(header::CONTENT_DISPOSITION, sals_disposition(name));
    response
}

/// The name as Sal writes it, where that is a header that means what it says.
fn sals_disposition(name: &str) -> HeaderValue {
    let is_plain = name
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/'));
    let plain = is_plain
        .then(|| HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")).ok())
        .flatten();
    plain.unwrap_or_else(|| disposition(name, "csv"))
}

fn broke_off(error: &AppError) {
    tracing::error!("an export broke off: {error}");
}

/// `attachment` with a name of plain characters and, for browsers that know it, the whole name (RFC 6266).
pub(crate) fn disposition(name: &str, extension: &str) -> HeaderValue {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || " ._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let ascii: String = name.chars().map(plain).take(120).collect();
    let whole =
        percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
    let text = format!(
        "attachment; filename=\"{ascii}.{extension}\"; filename*=UTF-8''{whole}.{extension}"
    );
    HeaderValue::from_str(&text)
        .unwrap_or_else(|_not_ascii| HeaderValue::from_static("attachment; filename=\"export\""))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn text(format: Format, rows: Vec<Vec<Cell<'static>>>) -> String {
        let columns = vec!["a".to_owned(), "b".to_owned()];
        let answer = file(format, "x", &columns, stream::iter([Ok(rows)]));
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn formulas_are_defused_and_quotes_doubled() {
        let row = vec![Cell::from("=HYPERLINK(\"x\")"), Cell::from("a,b\nc")];
        let csv = text(Format::Csv, vec![row.clone()]).await;
        assert_eq!(csv, "a,b\r\n\"'=HYPERLINK(\"\"x\"\")\",\"a,b\nc\"\r\n");
        let jsonl = text(Format::Jsonl, vec![row]).await;
        assert_eq!(
            jsonl,
            "{\"a\":\"=HYPERLINK(\\\"x\\\")\",\"b\":\"a,b\\nc\"}\n{\"end\":true,\"rows\":1}\n"
        );
    }

    #[tokio::test]
    async fn values_are_written_as_python_writes_them() {
        let at = "2026-11-22T14:52:46.890191Z".parse().unwrap();
        let rows = vec![
            vec![Cell::Flag(true), Cell::Time(at)],
            vec![Cell::Empty, Cell::Number(-3)],
        ];
        let csv = text(Format::Csv, rows).await;
        assert_eq!(
            csv,
            "a,b\r\nTrue,2026-11-22 14:52:46.890191+00:00\r\n,-3\r\n"
        );
    }

    #[test]
    fn a_file_name_cannot_break_the_header() {
        let value = disposition("a\"b\r\n/ü", "csv");
        let text = value.to_str().unwrap();
        assert!(text.starts_with("attachment; filename=\"a_b____.csv\"; filename*=UTF-8''a%22b"));
    }

    #[test]
    fn q063_a_title_is_the_name_unless_it_would_break_the_header() {
        assert_eq!(
            sals_disposition("All machines with model: MacBook Air (M1, 2020)"),
            "attachment; filename=\"All machines with model: MacBook Air (M1, 2020).csv\""
        );
        for title in ["a \"b\"", "a\\", "../a", "ä"] {
            let header = sals_disposition(title);
            assert!(
                header.to_str().unwrap().contains("filename*=UTF-8''"),
                "{title}"
            );
        }
    }
}
