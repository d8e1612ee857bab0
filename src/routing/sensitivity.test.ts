import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSensitive, findSensitiveInTurns, kindsOf } from './sensitivity.js';

const kinds = (text: string, options = {}) => kindsOf(findSensitive(text, options));
const spans = (text: string, options = {}) =>
  findSensitive(text, options).map(({ kind, start, end }) => [kind, text.slice(start, end)]);

describe('findSensitive', () => {
  it.each([
    ['Mail me at jan.kowalski+x@example.co.uk, please.', 'email', 'jan.kowalski+x@example.co.uk'],
    ['Konto PL61 1090 1014 0000 0712 1981 2874 od banku', 'iban', 'PL61 1090 1014 0000 0712 1981 2874'],
    ['IBAN: DE89370400440532013000.', 'iban', 'DE89370400440532013000'],
    ['mój PESEL 44051401359 2024', 'pesel', '44051401359'],
    ['nr-44051401359', 'pesel', '44051401359'],
    ['card 4111 1111 1111 1111 12/26', 'payment_card', '4111 1111 1111 1111'],
    ['5500005555555559', 'payment_card', '5500005555555559'],
    ['call +48 600 700 800 today', 'phone', '+48 600 700 800'],
    ['call 600-700-800 today', 'phone', '600-700-800'],
    ['Tel.: 0151 23456789', 'phone', '0151 23456789'],
    ['(212) 555-1234', 'phone', '(212) 555-1234'],
    ['use sk-proj-abcdefghijklmnopqrstuv now', 'api_key', 'sk-proj-abcdefghijklmnopqrstuv'],
    ['AKIAIOSFODNN7EXAMPLE', 'api_key', 'AKIAIOSFODNN7EXAMPLE'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'api_key', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['SG.abcdefghijklmnop.qrstuvwxyz0123456789', 'api_key', 'SG.abcdefghijklmnop.qrstuvwxyz0123456789'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_DEF', 'jwt', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_DEF'],
    ['password: hunter2', 'password', 'hunter2'],
    ['Passwort = "gehe im"', 'password', 'gehe im'],
    ['moje hasło to Kotek123!', 'password', 'Kotek123'],
    ['{"client_secret":"abc-def"}', 'secret', 'abc-def'],
    ['export API_KEY=abcdef', 'secret', 'abcdef'],
    ['Authorization: Bearer abcdefghijklmnopqrst', 'secret', 'abcdefghijklmnopqrst'],
    ['postgres://admin:s3cret@db.local/x', 'url_credentials', 'admin:s3cret'],
  ])('finds in %j a %s', (text, kind, value) => {
    expect(spans(text)).toEqual([[kind, value]]);
  });

  it.each([
    // However it is set.
    ['4111\u20091111\u20091111\u20091111', 'payment_card'],
    ['4111\u200b1111\u200b1111\u200b1111', 'payment_card'],
    ['4111–1111–1111–1111', 'payment_card'],
    ['4111 1111\r\n1111 1111', 'payment_card'],
    ['4111_1111_1111_1111', 'payment_card'],
    ['|4111|1111|1111|1111|', 'payment_card'],
    ['4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1', 'payment_card'],
    ['nr4111111111111111', 'payment_card'],
    ['４１１１ １１１１ １１１１ １１１１', 'payment_card'],
    ['٤١١١ ١١١١ ١١١١ ١١١١', 'payment_card'],
    ['𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏', 'payment_card'],
    ['PL61-1090-1014-0000-0712-1981-2874', 'iban'],
    ['pl61109010140000071219812874', 'iban'],
    ['kontoPL61109010140000071219812874', 'iban'],
    ['PESEL44051401359', 'pesel'],
    ['440514-01359', 'pesel'],
    ['४४०५१४०१३५९', 'pesel'],
    ['+48\u2009601\u2009234\u2009567', 'phone'],
    ['jan.kowalski＠example.com', 'email'],
    ['https://x.example/?u=jan.kowalski%40example.com', 'email'],
    ['jan.kowalski&#64;example.com', 'email'],
    ['{"to":"jan.kowalski\\u0040example.com"}', 'email'],
    ['jan [at] example (dot) com', 'email'],
    ['jan @ example.com', 'email'],
    ['"jan kowalski"@example.com', 'email'],
    ['用户@例子.公司', 'email'],
    ['𝗽𝗮𝘀𝘀𝘄𝗼𝗿𝗱: hunter2', 'password'],
    ['pass\u200bword: hunter2', 'password'],
    ['KEYsk-proj-abcdefghijklmnop0123456789', 'api_key'],
    ['sk-proj-abcdefghij\nklmnop0123456789', 'api_key'],
    ['https://hooks.slack.com/services/T0000/B0000/XXXXXXXX', 'secret'],
    ['123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw', 'api_key'],
    ['Cookie: session=abcdef0123456789abcdef', 'secret'],
    // With letters of another script that look the same.
    ['p\u0430ssword: hunter2', 'password'],
    ['pass\u051d\u043e\u0433\u0501: hunter2', 'password'],
    ['\u0440\u0430\u0455\u0455\u051d\u043e\u0433\u0501: hunter2', 'password'],
    ['\u03a1\u0391SSWORD = hunter2', 'password'],
    ['API_\u041a\u0415\u0423=abcdef7', 'secret'],
    ['\u0430\u0440\u0456_key: abcdef7', 'secret'],
    ['\u1d18\u1d00\ua731\ua731\u1d21\u1d0f\u0280\u1d05: hunter2', 'password'],
    ['\u24df\u24d0\u24e2\u24e2\u24e6\u24de\u24e1\u24d3: hunter2', 'password'],
    ['\u0455\u043a-proj-abcdefghijklmnop0123456789', 'api_key'],
    ['gh\u0440_abcdefghijklmnopqrstuvwxyz0123456789', 'api_key'],
    ['\u0410KIAIOSFODNN7EXAMPLE', 'api_key'],
    ['\u0435yJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_DEF', 'jwt'],
    ['\u0420L61109010140000071219812874', 'iban'],
    ['j\u0430n.kowalski@ex\u0430mple.c\u043em', 'email'],
    // With letters glued to both sides.
    ['nr4111111111111111x', 'payment_card'],
    ['KARTE4111111111111111ok', 'payment_card'],
    ['4111111111111111abc', 'payment_card'],
    ['nr4111 1111 1111 1111x', 'payment_card'],
    ['my_x4111111111111111y_card', 'payment_card'],
    ['PESEL44051401359mój', 'pesel'],
    ['44051401359Jan', 'pesel'],
    ['kontoPL61109010140000071219812874x', 'iban'],
    ['kontoPL61109010140000071219812874OK', 'iban'],
    // However it is encoded.
    [Buffer.from('my card is 4111 1111 1111 1111').toString('base64'), 'payment_card'],
    [Buffer.from('Übergib es an jan.kowalski@example.com, bitte').toString('base64url'), 'email'],
    [Buffer.from('write to jan.kowalski@example.com please').toString('hex'), 'email'],
    [Buffer.from(Buffer.from('write to jan@example.com please').toString('base64')).toString('base64'), 'email'],
    [`data:text/plain;base64,${Buffer.from('jan@example.com is mine').toString('base64')}`, 'email'],
    [
      Buffer.from(`${'x'.repeat(40)} jan@example.com ${'y'.repeat(40)}`)
        .toString('base64')
        .replace(/(.{20})/g, '$1\r\n'),
      'email',
    ],
  ])('finds it in %j all the same', (text, kind) => {
    expect(kinds(`Look at this: ${text} and answer`)).toEqual([kind]);
    expect(kinds(`Look at this: ${text} and answer`, { shapesOnly: true })).toEqual([kind]);
  });

  it('names the place in the text as it was written, so that masking leaves nothing of it', () => {
    expect(spans('a\u200bb\u200b 𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 c')).toEqual([['payment_card', '𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏']]);
    expect(spans('x%3Djan%40example.com&y')).toEqual([['email', 'jan%40example.com']]);
    expect(spans('to jan (at) example (dot) com now')).toEqual([['email', 'jan (at) example (dot) com']]);
  });

  it('finds a private key to its end, and to the end of the text where it has none', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----';
    expect(spans(`before\n${key}\nafter`)).toEqual([['private_key', key]]);
    expect(spans('-----BEGIN PRIVATE KEY-----\nMIIE')[0]?.[1]).toContain('MIIE');
    expect(kinds('-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----')).toEqual([]);
  });

  it.each(['a new keyboard', 'the monkey', 'a tokenizer', 'Schlüsselbein', 'secretary', 'passwordless2fa'])(
    'does not take a part of a word for a word: %s',
    (text) => {
      expect(kinds(text)).toEqual([]);
    },
  );

  it.each([
    'what is a password',
    'Hasło',
    'moje klucze',
    'the token',
    'mein Schlüssel',
    'credentials',
    'rotate apiKey',
    'PRIVATE_KEY',
    'uwierzytelnienie',
  ])('takes the word itself: %s', (text) => {
    expect(kinds(text)).toEqual(['sensitive_word']);
  });

  it.each([
    'DE89370400440532013001',
    '44051401358',
    '4111 1111 1111 1112',
    'on 2024-01-02 at 10:00',
    'version 1.2.3, 192.168.100.200',
    '500 000 000 euros',
    'commit 5f2b8c1d9e4a7063b1c2d3e4f5a6b7c8d9e0f1a2',
    '550e8400-e29b-41d4-a716-446655440000',
    'a@b, user@localhost',
    '3.14159265358979',
    '2021, 2022, 2023, 2024',
    '1990\n1991\n1992\n1993\n1994',
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk',
    'someLongIdentifierName = another_long_identifier_name',
    'the risk-assessment-of-2024-and-2025',
    'src/routing/sensitivity/plainReading.ts',
    'Zażółć gęślą jaźń – „naprawdę” (tak) [at home]',
    Buffer.from('plain words about the sea and ships').toString('base64'),
    'a @ b, 3 @ 5.50',
    'SMS\u043a\u0430 \u0438 IT-\u043e\u0442\u0434\u0435\u043b, \u0442\u043e\u043a\u0435\u043d-ring, \u043a\u043e\u0442 \u0438 \u0441\u043e\u043a',
    '\u0394x = 5 \u03bcm, k\u03a9, \u03b1x + \u03b2y',
    '5f2b8c1d9e44051401359b1c2d3e4f5a6b7c8d9e',
    'order_44051401358x, x4111111111111112y, 4111111111111112abc',
    'a4111111111111111b2c3d4',
    '[\u02c8k\u0251\u02d0] as in car',
  ])('leaves alone what has the form but not the check: %s', (text) => {
    expect(kinds(text)).toEqual([]);
  });

  it('finds streets on request only', () => {
    const text = 'ul. Marszałkowska 12/3, 00-590 Warszawa; 221B Baker Street; Hauptstraße 5';
    expect(kinds(text)).toEqual([]);
    expect(spans(text, { addresses: true }).map(([, value]) => value)).toEqual([
      'ul. Marszałkowska 12/3',
      '00-590 Warszawa',
      '221B Baker Street',
      'Hauptstraße 5',
    ]);
  });

  it('finds own terms as whole words, whatever their case', () => {
    expect(spans('Projekt FALKE, falken, Falke', { terms: ['falke'] })).toEqual([
      ['custom_term', 'FALKE'],
      ['custom_term', 'Falke'],
    ]);
  });

  it('finds an own term of mixed or of other letters as it is written', () => {
    const terms = ['\u0440\u043e\u0442\u0430', 'B\u043e\u0431\u0440', 'BETA'];
    expect(
      spans('\u0420\u043e\u0442\u0430 web-\u0440\u043e\u0442\u0430 B\u043e\u0431\u0440 BET\u0410', { terms }),
    ).toEqual([
      ['custom_term', '\u0420\u043e\u0442\u0430'],
      ['custom_term', '\u0440\u043e\u0442\u0430'],
      ['custom_term', 'B\u043e\u0431\u0440'],
      ['custom_term', 'BET\u0410'],
    ]);
  });

  it('passes over everyday words in texts of our own, but not over values', () => {
    expect(kinds('the key of the map', { shapesOnly: true })).toEqual([]);
    expect(kinds('key: abc123', { shapesOnly: true })).toEqual(['secret']);
  });

  it('gives ordered places inside the text that do not overlap, whatever it is fed', () => {
    const pieces = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        'password',
        ':',
        '=',
        '"',
        'eyJ',
        '.',
        '@',
        '://',
        'PL61',
        '4111',
        ' ',
        '-----BEGIN',
        'PRIVATE KEY',
        'İ',
        'sk-',
        '+48',
        'key',
        '\u200b',
        '４１',
        '𝟏',
        '%40',
        '&#64;',
        ' (at) ',
        '–',
        'amFuQGV4YW1wbGUuY29t',
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), fc.boolean(), (parts, addresses) => {
        const text = parts.join('');
        let before = 0;
        for (const { start, end } of findSensitive(text, { addresses, terms: ['key word', 'İx'] })) {
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          before = end;
        }
      }),
      { numRuns: 500 },
    );
  });

  // The work is counted in characters looked at, not in time, so that the test means the same on every machine.
  it.each([
    'a',
    '1',
    '1 ',
    'eyJa.',
    '@',
    'a@',
    'a@b.',
    '://x:',
    'key',
    'key ',
    'password:',
    'password is ',
    '-----BEGIN',
    '-----BEGIN PRIVATE KEY',
    'PL61',
    'PL61 ',
    '(',
    '+4',
    '-1',
    '_',
    'sk-',
    'SG.',
    '"',
    'aA',
    'ul. A',
    '٤١١١ ',
    '\u200b',
    '%40',
    'a(at)',
    '4111 ',
    'ab12 abcd ',
    'YWJj/',
    'YWJjZGVmZ2hpamtsbW5v\n',
    '"@',
    '\u0430',
    'p\u0430',
    '\u0430\u0430\u0430\u0430\u0430\u0430p',
    'nr4111',
    'x44051401359y',
    'aPL61109010140000071219812874',
  ])('looks at each character a bounded number of times: %j repeated', (unit) => {
    const cost = (size: number) => {
      let looks = 0;
      const real = String.prototype.charCodeAt;
      String.prototype.charCodeAt = function (index) {
        looks += 1;
        return real.call(this, index);
      };
      try {
        findSensitive(unit.repeat(Math.ceil(size / unit.length)), { addresses: true, terms: ['zzz'] });
      } finally {
        String.prototype.charCodeAt = real;
      }
      return looks;
    };
    expect(cost(40_000)).toBeLessThan(cost(10_000) * 4.5 + 10_000);
  });
});

describe('findSensitiveInTurns', () => {
  const PIECES = [
    'Mail jan@example.com or call +48 600 700 800. ',
    '-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n',
    'x'.repeat(140_000),
    `password: ${'y'.repeat(200)} `,
    'Projekt ŁABĘDŹ jest tajny. ',
    'ΦΩΣ und İstanbul 𐐀𐐁 ',
    `sk-${'a1'.repeat(70_000)} `,
    'plain words about the sea '.repeat(3_000),
    '٤١١١ ١١١١ ١١١١ ١١١١ and – '.repeat(500),
    Buffer.from('jan@example.com and ships '.repeat(6_000)).toString('base64'),
    'DE89370400440532013000 4111 1111 1111 1111 ',
    'p\u0430ssw\u043e\u0433\u0501: hunter2 \u0438 \u0441\u043b\u043e\u0432\u0430 nr4111111111111111x '.repeat(400),
  ];

  it('finds in a long text what is found in it in one go, wherever its pauses fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...PIECES), { minLength: 4, maxLength: 14 }), async (pieces) => {
        const text = pieces.join('');
        const options = { terms: ['projekt łabędź', 'φως', 'φωσ', 'istanbul'], addresses: true };
        expect(await findSensitiveInTurns(text, options)).toEqual(findSensitive(text, options));
      }),
      { numRuns: 12 },
    );
  });

  it('finds the same however much stands before it', async () => {
    const piece = `p\u0430ssw\u043e\u0433\u0501: hunter2 ${PIECES[0]}`;
    const found = findSensitive(piece);
    for (const before of [131_000, 131_066, 131_050, 131_060, 131_071, 131_072, 131_073, 262_120]) {
      const text = `${' '.repeat(before)}${piece}${' '.repeat(200_000)}`;
      const moved = found.map(({ kind, start, end }) => ({ kind, start: start + before, end: end + before }));
      expect(await findSensitiveInTurns(text)).toEqual(moved);
    }
  });

  it('lets others go on meanwhile', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await findSensitiveInTurns(`${PIECES[7]}jan@example.com `.repeat(40), { terms: ['sea'] });
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(20);
  });

  it('lets others go on among many short texts too', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const found = new Set<string>();
    for (let text = 0; text < 2_000; text += 1)
      for (const kind of kindsOf(
        await findSensitiveInTurns('example '.repeat(250) + (text === 1_999 ? PIECES[0] : '')),
      ))
        found.add(kind);
    clearImmediate(timer);
    expect([...found]).toEqual(['email', 'phone']);
    expect(turns).toBeGreaterThan(20);
  });
});
