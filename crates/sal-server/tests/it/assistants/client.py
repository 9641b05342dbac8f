"""Asks a server as assistants do, by the official client of the Model Context Protocol; says what it saw as JSON."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def ask(url, mode):
    headers = {"Authorization": "Bearer " + os.environ["SAL_TEST_TOKEN"]}
    async with httpx2.AsyncClient(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            seen = {"version": client.protocol_version, "instructions": client.instructions}
            tools = (await client.list_tools()).tools
            seen["tools"] = [tool.name for tool in tools]
            seen["answers"] = {}
            calls = {
                "search_machines": {"filter": "serial ~ SER", "limit": 3},
                "get_machine": {"serial": "SER0001"},
                "count_machines": {"by": "os_version"},
                "what_changed": {"serial": "SER0001"},
                "explain_checkin": {"serial": "SER0001"},
                "list_fields": {"about": "disk"},
            }
            for tool in seen["tools"]:
                # The client holds each answer against the schema of the tool.
                result = await client.call_tool(tool, calls[tool])
                assert not result.is_error, result
                seen["answers"][tool] = result.structured_content
            refused = await client.call_tool("search_machines", {"filter": "hostnme = x"})
            assert refused.is_error
            seen["refused"] = refused.content[0].text
            return seen


seen = {mode: asyncio.run(ask(sys.argv[1], mode)) for mode in ["legacy", "auto"]}
json.dump(seen, sys.stdout)
