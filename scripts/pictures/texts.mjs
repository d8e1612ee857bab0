// What is asked and answered in the pictures.
const TABLE = `Here is a comparison of the three engines:

| Engine | Best for | Memory | Tools |
|---|---|---:|:-:|
| embedded llama.cpp | one person, no other software | 0.6 GB | yes |
| Ollama | a shared machine with many models | 1.2 GB | yes |
| vLLM | a team on one large GPU | 24 GB | yes |

**In short:** begin with the embedded one. Move on when two people wait for each other.

1. Install the starter model.
2. Try it with your own questions.
3. Measure, then decide.`;

const CODE = `Use a dictionary that forgets the oldest entry:

\`\`\`python
from collections import OrderedDict

class LruCache:
    """Keeps the newest \`size\` entries."""

    def __init__(self, size: int = 128) -> None:
        self._size = size
        self._entries: OrderedDict[str, object] = OrderedDict()

    def get(self, key: str) -> object | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: str, value: object) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
\`\`\`

\`get\` and \`put\` both take constant time. For one function alone, \`functools.lru_cache\` is enough.`;

const MATH = `A quadratic equation $ax^2 + bx + c = 0$ has the solutions

$$
x_{1,2} = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}
$$

The discriminant $D = b^2 - 4ac$ says how many are real: two where $D > 0$, one where $D = 0$, none where $D < 0$.

> With $a = 1$, $b = -3$ and $c = 2$ we get $x_1 = 1$ and $x_2 = 2$.`;

const PLAN_STEPS = {
  steps: [
    { agent: 'RESEARCH', instruction: 'Find out which trains go to the coast on a Friday evening', depends_on: [] },
    { agent: 'RESEARCH', instruction: 'Find three quiet places to stay for two nights', depends_on: [] },
    { agent: 'CHAT', instruction: 'Write a plan for the weekend, hour by hour', depends_on: [1, 2] },
  ],
};

export const ANSWERS = [
  ['three engines', TABLE],
  ['LRU cache', CODE],
  ['quadratic', MATH],
  ['haiku', 'Salt wind on the pier.\nA gull holds still above us,\nthen lets the sea go.'],
  [
    'letter to my landlord',
    'Dear Ms Novak,\n\nthe heating in flat 12 has been cold since **Monday**. Could somebody have a look at it this week? I am at home after 4 pm on every day.\n\nKind regards',
  ],
  ['Was ist', 'Ein *Vektor* hat eine Länge und eine Richtung. Eine Kraft ist einer, eine Temperatur ist keiner.'],
  [
    'Jak ugotować',
    '1. Posiekaj cebulę i podsmaż ją na maśle.\n2. Dodaj obrane buraki i bulion.\n3. Gotuj 40 minut na małym ogniu, dopraw majerankiem.',
  ],
  ['lighthouse', 'The lighthouse keeper is called Marlene. She has kept the light since 1998.'],
];

export const SCRIPTED = [
  { when: (question) => question.includes('out of order'), status: 500, answer: 'CUDA error: out of memory' },
  {
    when: (_question, body) => JSON.stringify(body.response_format ?? {}).includes('depends_on'),
    answer: JSON.stringify(PLAN_STEPS),
  },
  {
    when: (_question, body) => JSON.stringify(body.response_format ?? {}).includes('goals'),
    answer: JSON.stringify({
      goals: ['Name three facts about owls', 'Tell a joke about owls', 'Write four questions for a quiz about owls'],
    }),
  },
  {
    when: (question) => /You are the (critic|guardian)\. Speak now\.$/.test(question),
    answer: 'Nothing stands against it. AGREED',
  },
];

export const CONVERSATIONS = [
  {
    mode: 'direct',
    title: 'Choosing an engine',
    ask: ['Compare the three engines for me', 'Write a haiku about the sea'],
  },
  { mode: 'direct', title: 'LRU cache in Python', ask: ['Show me an LRU cache in Python'] },
  { mode: 'direct', title: 'Quadratic equations', ask: ['Explain the quadratic formula with an example'] },
  { mode: 'normal', title: 'The lighthouse keeper', ask: ['What is the keeper of the lighthouse called, please?'] },
  { mode: 'normal', title: 'Letter about the heating', ask: ['Write a letter to my landlord: the heating is cold'] },
  {
    mode: 'normal',
    title: 'My account',
    ask: ['My account is PL61 1090 1014 0000 0712 1981 2874. What should I write into the subject of a transfer?'],
  },
  { mode: 'normal', title: 'Was ist ein Vektor?', ask: ['Was ist ein Vektor? Erkläre es mir kurz.'] },
  { mode: 'normal', title: 'Barszcz', ask: ['Jak ugotować barszcz czerwony dla czterech osób?'] },
  { mode: 'complex', title: 'A weekend by the sea', ask: ['Plan a weekend by the sea'] },
  { mode: 'campaign', title: 'An expert on owls', ask: ['Start a campaign to make me an expert on owls'] },
  { mode: 'normal', title: 'What failed', ask: ['Tell me why it is out of order today'] },
];

export const MEMORIES = [
  'The lighthouse keeper is called **Marlene**. She has kept the light since 1998.',
  'I work in Gdańsk and answer mail before nine.',
  'Answers shall be short: three sentences, then ask whether I want more.',
  '# Style of our letters\n\n- no exclamation marks\n- the date in full\n- signed with first and last name',
  'The office server is called `kestrel` and has one GPU with 24 GB.',
];

export const KNOWLEDGE = {
  name: 'house-rules.md',
  text: '# House rules\n\nThe heating is looked after by Ms Novak, on weekdays from 8 to 16.\n\n## Bins\n\nPaper on Tuesday, glass on Friday.',
};
