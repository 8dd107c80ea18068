import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { together } from '../../../shared/http/together.ts'

type Asked = {
  readonly ids: readonly string[]
  readonly name: string | undefined
  readonly end: (error?: Error) => void
}

/** Requests that the test answers: what is asked for is there, in capitals, unless its name begins with "no". */
const open = (most = 100, gatherMs?: number) => {
  const asked: Asked[] = []
  const find = together<string>(
    (ids, { requestId }) =>
      new Promise((resolve, reject) => {
        const found = ids.filter((id) => !id.startsWith('no')).map((id) => [id, id.toUpperCase()] as const)
        asked.push({ ids, name: requestId, end: (error) => (error ? reject(error) : resolve(new Map(found))) })
      }),
    most,
    gatherMs,
  )
  const findAll = (...ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await find([id], { requestId: `for-${id}` })).get(id)))
  return { find, findAll, asked, sent: () => asked.map(({ ids }) => ids) }
}

/** As in a process that serves: what waits for a time keeps none alive. */
const stayAlive = setInterval(() => undefined, 1_000)
test.after.always(() => clearInterval(stayAlive))

test('what is asked in one turn is one request, in which each thing stands once', async (t) => {
  const { findAll, asked, sent } = open()
  const found = findAll('tea', 'nothing', 'cup', 'tea')
  t.deepEqual(sent(), [])
  await turn()
  t.deepEqual(sent(), [['tea', 'nothing', 'cup']])
  t.is(asked[0]?.name, 'for-tea,for-nothing,for-cup')
  asked[0]?.end()
  t.deepEqual(await found, ['TEA', undefined, 'CUP', 'TEA'])
})

test('what is asked while a request is under way is in the next one, and no answer is older than its question', async (t) => {
  const { findAll, asked, sent } = open()
  const first = findAll('tea')
  await turn()
  const others = [findAll('tea'), findAll('cup')]
  await turn()
  t.deepEqual(sent(), [['tea']])
  asked[0]?.end()
  t.deepEqual(await first, ['TEA'])
  await turn()
  t.deepEqual(sent(), [['tea'], ['tea', 'cup']])
  asked[1]?.end()
  t.deepEqual(await Promise.all(others), [['TEA'], ['CUP']])
})

test('where many ask, the first of a burst waits for the others, and where few do it leaves at once', async (t) => {
  const { findAll, asked, sent } = open(100, 100)
  const burst = ['1', '2', '3', '4', '5', '6']
  const before = findAll(...burst)
  await turn()
  asked[0]?.end()
  await before

  const first = findAll('tea')
  await turn()
  await turn()
  t.deepEqual(sent(), [burst], 'it waits')
  const second = findAll('cup')
  while (asked.length < 2) await turn()
  t.deepEqual(sent(), [burst, ['tea', 'cup']])
  asked[1]?.end()
  t.deepEqual(await Promise.all([first, second]), [['TEA'], ['CUP']])

  const alone = findAll('tea')
  await turn()
  t.deepEqual(sent().at(-1), ['tea'])
  asked[2]?.end()
  t.deepEqual(await alone, ['TEA'])
})

test('a request without an answer holds up only its own', async (t) => {
  const { find, findAll, asked } = open()
  void findAll('frozen')
  await turn()
  const later = find(['tea'], { requestId: undefined })
  while (asked.length < 2) await turn()
  t.deepEqual([asked[1]?.ids, asked[1]?.name], [['tea'], undefined])
  asked[1]?.end()
  t.deepEqual(await later, new Map([['tea', 'TEA']]))
})

test('a request fails for all that are in it, and for none of the next', async (t) => {
  const { findAll, asked } = open()
  const failing = [findAll('tea'), findAll('cup')]
  await turn()
  const later = findAll('tea')
  asked[0]?.end(new RangeError('away'))
  for (const one of failing) await t.throwsAsync(one, { instanceOf: RangeError })
  while (asked.length < 2) await turn()
  asked[1]?.end()
  t.deepEqual(await later, ['TEA'])
})

test('a request asks for so many things at most, and is called by so many names', async (t) => {
  const { findAll, asked, sent } = open(20)
  const ids = Array.from({ length: 50 }, (_, number) => `tea-${number}`)
  const found = findAll(...ids)
  await turn()
  t.deepEqual(
    sent().map(({ length }) => length),
    [20, 20, 10],
  )
  t.is(asked[0]?.name?.split(',').length, 16)
  for (const { end } of asked) end()
  t.deepEqual(
    await found,
    ids.map((id) => id.toUpperCase()),
  )
})

test('who wants more than one request asks for is told all of it, and who wants nothing is not asked for', async (t) => {
  const { find, asked, sent } = open(2)
  const found = find(['tea', 'cup', 'nothing', 'tea', 'pot', 'jug'], { requestId: 'one' })
  const none = find([], { requestId: 'none' })
  await turn()
  t.deepEqual(sent(), [
    ['tea', 'cup'],
    ['nothing', 'tea'],
    ['pot', 'jug'],
  ])
  for (const { name, end } of asked) {
    t.is(name, 'one')
    end()
  }
  t.deepEqual([...(await found).keys()].toSorted(), ['cup', 'jug', 'pot', 'tea'])
  t.deepEqual(await none, new Map())
})

test('who wants more than one request asks for is told of the error of any', async (t) => {
  const { find, asked } = open(2)
  const found = find(['tea', 'cup', 'pot'], { requestId: 'one' })
  await turn()
  asked[0]?.end()
  asked[1]?.end(new RangeError('away'))
  await t.throwsAsync(found, { instanceOf: RangeError })
})
