// What the suite starts as "the client": it hands the address and the scenario to the test process, where our client is, and
// ends as that says.
const [relay, url] = process.argv.slice(2);
const answer = await fetch(relay, {
  method: 'POST',
  body: JSON.stringify({
    url,
    scenario: process.env.MCP_CONFORMANCE_SCENARIO ?? '',
    revision: process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '',
    context: JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT || '{}'),
  }),
});
const { code, said } = await answer.json();
console.log(said);
process.exit(code);
