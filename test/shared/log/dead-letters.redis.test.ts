/** How an entry that could not be applied is put aside, shown, and applied at last. */
import test from 'ava'
import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { openStore } from '../../../stock/store.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import {
  comeBack,
  entryOf,
  flat,
  openBench,
  openDurable,
  plainly,
  saidIn,
  under,
} from '../../support/shop/open-store.ts'

/** What is applied can be counted: stock takes one piece of tea for each entry. */
const bench = await openBench()
const { redis } = bench
const store = openStore(bench.dependencies)
const { log } = store
test.serial.beforeEach(async () => {
  await redis.flushall()
  await store.createItem('tea', 1, plainly)
  await store.add('tea', 100, plainly)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const left = async (): Promise<number | undefined> => (await store.find('tea'))?.stock
const taking = (id: string, log_id: string, lines = 'tea:1'): RawEntry =>
  entryOf('payment', 'CreditHeld', id, log_id, { order: 'cart', user: 'anna', total: 1, lines })
/** The entry with one value changed, or left out. */
const changed = ([id, [kind = '', text = '']]: RawEntry, name: string, value?: string): RawEntry => [
  id,
  [
    kind,
    text.replace(new RegExp(` ?${name}=\\S*`), (piece) =>
      value === undefined ? '' : piece.replace(/=.*/, `=${value}`),
    ),
  ],
]

/** Has one entry dead-lettered, and gives its letter. */
const deadLetter = async (entry: RawEntry) => {
  await log.apply('payment', '0-0', [entry])
  const [letter] = await log.dead.page('0-0', 10)
  if (letter === undefined) throw new Error('nothing was dead-lettered')
  return letter
}
const untouched = async () => ({ left: await left(), said: (await saidIn(log)).length, dead: await log.dead.count() })

/** An entry whose command fails because something else lies under its key. */
const deadLetterBroken = async () => {
  await redis.set('saga:it', 'not a hash')
  return deadLetter(taking('5-0', 'it'))
}

test.serial('a letter tells whose entry it is, what it says, and why it could not be applied', async (t) => {
  const entry = taking('5-0', 'it')
  const letter = await deadLetterBroken()
  t.like(letter, { speaker: 'payment', entry: '5-0', applied: null })
  t.deepEqual(letter.fields, entry[1])
  t.regex(letter.error, /WRONGTYPE/)
  t.is(Date.parse(letter.at), Number.parseInt(letter.id, 10))
})

test.serial('a flat entry of an older version is kept as it was read, and applied at last', async (t) => {
  const entry = flat(taking('5-0', 'it'))
  await redis.set('saga:it', 'not a hash')
  const { id, fields } = await deadLetter(entry)
  t.deepEqual(fields, entry[1])
  await redis.del('saga:it')
  t.deepEqual(await log.dead.retry(id, plainly), ['applied', 'taken'])
  t.deepEqual([await left(), await log.dead.count()], [99, 0])
})

test.serial('letters come in pages, the oldest first', async (t) => {
  const entries = ['5-0', '6-0', '7-0'].map((id) => changed(taking(id, `saga-${id}`), 'lines'))
  await log.apply('payment', '0-0', entries)
  const first = await log.dead.page('0-0', 2)
  t.deepEqual(
    first.map(({ entry }) => entry),
    ['5-0', '6-0'],
  )
  const rest = await log.dead.page(first[1]?.id ?? '', 2)
  t.deepEqual(
    rest.map(({ entry }) => entry),
    ['7-0'],
  )
})

test.serial('an entry that is told again and fails again is one letter, until that was applied', async (t) => {
  const { id } = await deadLetterBroken()
  await log.apply('payment', '5-0', [taking('6-0', 'it'), taking('7-0', 'it'), taking('8-0', 'it', 'tea:2')])
  const letters = await log.dead.page('0-0', 10)
  t.deepEqual(
    letters.map(({ entry }) => entry),
    ['5-0', '8-0'],
    'another entry is another letter',
  )
  await redis.del('saga:it')
  t.deepEqual(await log.dead.retry(id, plainly), ['applied', 'taken'])
  await redis.set('saga:it', 'not a hash')
  await log.apply('payment', '8-0', [taking('9-0', 'it')])
  t.is((await log.dead.page('0-0', 10)).length, 3)
  t.is(await log.dead.count(), 2)
})

test.serial('retried after the mending: it is applied and says so, and the letter stays, marked', async (t) => {
  const { id } = await deadLetterBroken()
  await redis.del('saga:it')
  t.deepEqual(await log.dead.retry(id, plainly), ['applied', 'taken'])
  t.is(await left(), 99)
  t.deepEqual(
    (await log.entriesOf('it')).map(({ kind }) => kind),
    ['StockTaken'],
  )
  const [letter] = await log.dead.page('0-0', 10)
  t.is(letter?.applied?.word, 'taken')
  t.true(Math.abs(Date.parse(letter?.applied?.at ?? '') - Date.now()) < 5_000)
  t.regex(letter?.error ?? '', /WRONGTYPE/)
  t.is(await log.dead.count(), 0)
})

test.serial('retried by many at once: one effect', async (t) => {
  const { id } = await deadLetterBroken()
  await redis.del('saga:it')
  const results = (await Promise.all(Array.from({ length: 20 }, () => log.dead.retry(id, plainly)))).map(
    ([result]) => result,
  )
  t.is(results.filter((result) => result === 'applied').length, 1)
  t.is(results.filter((result) => result === 'repeated').length, 19)
  t.deepEqual([await left(), await log.dead.count()], [99, 0])
})

for (const [what, entry, error] of [
  ['lacks a fact', changed(taking('5-0', 'it'), 'lines'), 'it lacks "lines"'],
  ['has a malformed fact', taking('5-0', 'it', 'tea:0'), 'its "lines" is malformed'],
  ['is of an unknown version', changed(taking('5-0', 'it'), 'version', '2'), 'its version "2" is unknown'],
  ['has no log id', changed(taking('5-0', 'it'), 'log_id'), 'it has no log_id'],
  ['has no kind', ['5-0', ['hello', 'there']] as const, 'it has no kind'],
  ['is flat, and lacks a fact', flat(changed(taking('5-0', 'it'), 'lines')), 'it lacks "lines"'],
] as const)
  test.serial(`an entry that ${what} fails again for as long as the dictionary does not know better`, async (t) => {
    const { id } = await deadLetter(entry)
    const before = await untouched()
    t.deepEqual(await log.dead.retry(id, plainly), ['failed', error])
    t.deepEqual(await untouched(), before)
  })

test.serial('an entry is judged by the dictionary as it is now, not as it was when it was dead-lettered', async (t) => {
  // What a service of an older version has dead-lettered: it knew no entries of this form.
  const [entry, fields] = taking('5-0', 'it')
  const error = 'it has no kind'
  const letter = ['speaker', 'payment', 'entry', entry, 'error', error, 'fields', JSON.stringify(fields)]
  const id = (await redis.xadd('dead:stock', '*', ...letter)) ?? ''
  t.is(await log.dead.count(), 1)
  t.deepEqual(await log.dead.retry(id, plainly), ['applied', 'taken'])
  t.deepEqual([await left(), await log.dead.count()], [99, 0])
})

test.serial('an entry whose saga went on without it is a repetition like any other', async (t) => {
  const { id } = await deadLetterBroken()
  await redis.del('saga:it')
  await log.apply('payment', '5-0', [changed(taking('6-0', 'it'), 'total', '2')])
  t.deepEqual(await log.dead.retry(id, plainly), ['applied', 'repeated'])
  t.deepEqual([await left(), await log.dead.count()], [99, 0])
})

for (const [form, emitted] of [
  ['an entry', taking],
  ['a flat entry of an older version', (id: string, log_id: string) => flat(taking(id, log_id))],
] as const)
  test.serial(`${form} that is emitted again and can be applied ends its letter, and no other`, async (t) => {
    await redis.set('saga:it', 'not a hash')
    await redis.set('saga:other', 'not a hash')
    await log.apply('payment', '0-0', [emitted('5-0', 'it'), emitted('6-0', 'other')])
    const [first] = await log.dead.page('0-0', 10)
    await redis.del('saga:it')
    await log.apply('payment', '6-0', [emitted('7-0', 'it'), emitted('8-0', 'third')])
    const [letter, other] = await log.dead.page('0-0', 10)
    t.is(letter?.applied?.word, 'taken')
    t.true(Math.abs(Date.parse(letter?.applied?.at ?? '') - Date.now()) < 5_000)
    t.is(other?.applied, null)
    t.is(await log.dead.count(), 1)
    const [word, , done] = await log.dead.retry(first?.id ?? '', plainly)
    t.deepEqual([word, done], ['repeated', 'taken'])
    t.is(await left(), 98)
  })

test.serial(
  'an entry of a trace is one letter, in whichever spans it is read, and goes on from the one in which it is applied',
  async (t) => {
    const trace = (digit: number): string => `00-${'a'.repeat(32)}-${String(digit).repeat(16)}-01`
    const applyIn = (id: number): Promise<unknown> => {
      const [, [kind = '', text = '']] = taking(`${id}-0`, 'it')
      const entry: RawEntry = [`${id}-0`, [kind, `${text} trace=${trace(1)}`]]
      return log.apply('payment', `${id - 1}-0`, [entry], new Map([[`${id}-0`, trace(id)]]))
    }
    await redis.set('saga:it', 'not a hash')
    await redis.hset('cursors', 'payment', '4-0')
    for (const id of [5, 6]) await applyIn(id)
    const letters = await log.dead.page('0-0', 10)
    t.is(letters.length, 1)
    t.true(letters[0]?.fields[1]?.endsWith(trace(1)), 'as it was read')
    await redis.del('saga:it')
    await applyIn(7)
    t.is(await log.dead.count(), 0)
    const [taken] = await log.entriesOf('it')
    t.deepEqual([taken?.kind, taken?.facts.trace], ['StockTaken', trace(7)])
  },
)

test.serial('what was dismissed stays so, though it is emitted again and applied', async (t) => {
  const { id } = await deadLetterBroken()
  await log.dead.dismiss(id, plainly)
  await redis.set('saga:other', 'not a hash')
  await redis.del('saga:it')
  await log.apply('payment', '5-0', [taking('6-0', 'other'), taking('7-0', 'it')])
  t.like((await log.dead.page('0-0', 10))[0], { applied: null })
  t.is(await log.dead.count(), 1)
})

/** What was done by hand, by whom, and under which log id. */
const byHand = async () =>
  (await saidIn(log)).flatMap(({ kind, log_id, facts }) =>
    kind.startsWith('DeadLetter') ? [{ kind, log_id, facts }] : [],
  )
const anna = { ...plainly, doneBy: 'operator:anna' }

test.serial('who retries a letter with success says so, once, and so does what follows from its entry', async (t) => {
  const { id } = await deadLetterBroken()
  await log.dead.retry(id, anna)
  t.deepEqual(await byHand(), [], 'one that fails again changes nothing')
  await redis.del('saga:it')
  await Promise.all(Array.from({ length: 10 }, () => log.dead.retry(id, anna)))
  const [retried, ...more] = await byHand()
  t.deepEqual(retried, {
    kind: 'DeadLetterRetried',
    log_id: `letter-${id}`,
    facts: { publisher: 'payment', entry: '5-0', result: 'taken', done_by: 'operator:anna' },
  })
  t.deepEqual(more, [])
  t.is((await log.entriesOf('it'))[0]?.facts.done_by, 'operator:anna')
  t.deepEqual(
    (await log.entriesOf(`letter-${id}`)).map(({ kind }) => kind),
    ['DeadLetterRetried'],
  )
})

test.serial('who dismisses a letter says so, once', async (t) => {
  const { id } = await deadLetterBroken()
  await Promise.all(Array.from({ length: 10 }, () => log.dead.dismiss(id, anna)))
  for (const key of ['k', 'k']) await log.dead.dismiss(id, { ...under(key), doneBy: 'operator:ben' })
  await log.dead.dismiss('5-0', anna)
  t.deepEqual(await byHand(), [
    {
      kind: 'DeadLetterDismissed',
      log_id: `letter-${id}`,
      facts: { publisher: 'payment', entry: '5-0', done_by: 'operator:anna' },
    },
  ])
})

test('what was done by hand and is gone is listed by name, and the letter waits again', async (t) => {
  const durable = await openDurable(t)
  const again = openStore(durable.dependencies)
  const lacking = (id: string) => changed(taking(id, `saga-${id}`), 'lines')
  await durable.redis.set('saga:it', 'not a hash')
  await again.log.apply('payment', '0-0', [taking('5-0', 'it'), lacking('6-0')])
  const [one, other] = await again.log.dead.page('0-0', 10)
  await durable.redis.del('saga:it')
  const moment = await writtenTo(durable.server.dir)
  await again.log.dead.retry(one?.id ?? '', anna)
  await again.log.dead.dismiss(other?.id ?? '', anna)
  await comeBack(durable, moment)
  t.deepEqual(
    (await again.log.checkOwnTail())?.entries.map(({ kind, facts }) => [kind, facts.done_by]),
    [
      ['DeadLetterRetried', anna.doneBy],
      ['DeadLetterDismissed', anna.doneBy],
    ],
  )
  t.is(await again.log.dead.count(), 2)
})

test.serial('where nobody need say who it is, an entry names nobody', async (t) => {
  const { id } = await deadLetterBroken()
  await log.dead.dismiss(id, plainly)
  t.deepEqual(
    (await byHand()).map(({ facts }) => facts),
    [{ publisher: 'payment', entry: '5-0' }],
  )
})

test.serial('under a key: the first answer is given again, and another request is told so', async (t) => {
  const { id } = await deadLetterBroken()
  await redis.del('saga:it')
  const first = await log.dead.retry(id, under('mended'))
  t.deepEqual(first, ['applied', 'taken'])
  t.deepEqual(await log.dead.retry(id, under('mended')), first)
  t.deepEqual(await log.dead.retry(id, under('mended', 'POST /other')), ['key-reused'])
  t.is(await left(), 99)
})

test.serial('a letter that does not exist is unknown', async (t) => {
  t.deepEqual(await log.dead.retry('5-0', plainly), ['unknown'])
  t.deepEqual(await log.dead.dismiss('5-0', plainly), ['unknown'])
})

test.serial('applied is the end: it cannot be dismissed', async (t) => {
  const { id } = await deadLetterBroken()
  await redis.del('saga:it')
  await log.dead.retry(id, plainly)
  t.deepEqual(await log.dead.dismiss(id, plainly), ['applied'])
  t.like((await log.dead.page('0-0', 10))[0], { applied: { word: 'taken' }, dismissed: null })
  t.is(await log.dead.count(), 0)
})

test.serial('retried and dismissed at once: it comes to one end', async (t) => {
  const { id } = await deadLetterBroken()
  await redis.del('saga:it')
  const [retried, dismissed] = await Promise.all([log.dead.retry(id, plainly), log.dead.dismiss(id, plainly)])
  const isApplied = retried[0] === 'applied'
  t.is(dismissed[0], isApplied ? 'applied' : 'dismissed')
  t.deepEqual([await left(), await log.dead.count()], [isApplied ? 99 : 100, 0])
})

test.serial('a letter of a service that is followed no longer can be dismissed', async (t) => {
  const letter = ['speaker', 'order', 'entry', '5-0', 'error', 'nothing follows', 'fields', '[]']
  const id = (await redis.xadd('dead:stock', '*', ...letter)) ?? ''
  t.is((await log.dead.dismiss(id, plainly))[0], 'dismissed')
  t.is(await log.dead.count(), 0)
})

test.serial(
  'an entry of many thousand fields is dead-lettered like any other, and retried like any other',
  async (t) => {
    const [id, fields] = flat(taking('5-0', 'it'))
    const more = Array.from({ length: 10_000 }, (_, index) => [`more-${index}`, 'x']).flat()
    const broken: RawEntry = [id, [...fields, ...more]]
    await redis.set('saga:it', 'not a hash')
    const letter = await deadLetter(broken)
    t.is(letter.fields.length, broken[1].length)
    await redis.del('saga:it')
    t.deepEqual(await log.dead.retry(letter.id, plainly), ['applied', 'taken'])
  },
)
