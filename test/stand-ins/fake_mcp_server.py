# An MCP server of Python without a library: one tool, which says what the package `greeting` says, and with what it was started.
import json
import sys

import greeting

TOOL = {"name": "greet", "description": "Greets.", "inputSchema": {"type": "object"}}


def answer(method, params):
    if method == "initialize":
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "greeter", "version": "1.0.0"},
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": " ".join([greeting.WORDS, *sys.argv[1:]])}]}
    return None


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = answer(message["method"], message.get("params"))
    reply = {"jsonrpc": "2.0", "id": message["id"]}
    if result is None:
        reply["error"] = {"code": -32601, "message": "unknown"}
    else:
        reply["result"] = result
    print(json.dumps(reply), flush=True)
