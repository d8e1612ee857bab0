// Whose a request, task, response, remark, approved pair or approval is; NULL is the house. Sessions and what is remembered
// carry their owner in the session's id.
export const owners = `
ALTER TABLE requests ADD COLUMN owner TEXT;
CREATE INDEX requests_by_owner ON requests(owner, pk) WHERE owner IS NOT NULL;
ALTER TABLE tasks ADD COLUMN owner TEXT;
CREATE INDEX tasks_by_owner ON tasks(owner, seq) WHERE owner IS NOT NULL;
ALTER TABLE responses ADD COLUMN owner TEXT;
ALTER TABLE feedback ADD COLUMN owner TEXT;
ALTER TABLE approved_pairs ADD COLUMN owner TEXT;
ALTER TABLE skill_approvals ADD COLUMN owner TEXT;
`;
