import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { UnavailableError } from '../../../shared/errors.ts'
import { type GroupOptions, grouped } from '../../../shared/redis/group-commit.ts'

type Asking = { readonly questions: readonly number[]; readonly answer: (error?: Error) => void }

/** Groups whose answers, ten times the question, are given by the test. */
const open = ({
  groupMax = 10,
  timeoutMs = 60_000,
  ...beside
}: Partial<Omit<GroupOptions<number, number>, 'run'>> = {}) => {
  const groups: Asking[] = []
  const ask = grouped<number, number>({
    run: (questions) =>
      new Promise((resolve, reject) => {
        const all = questions.map((question) => (question < 0 ? new RangeError(`${question}`) : question * 10))
        groups.push({ questions, answer: (error) => (error ? reject(error) : resolve(all)) })
      }),
    groupMax,
    timeoutMs,
    ...beside,
  })
  /** Until so many groups were sent. */
  const sending = async (count: number): Promise<void> => {
    while (groups.length < count) await turn()
  }
  return { ask, groups, sending, sent: () => groups.map(({ questions }) => questions) }
}

test('what is asked in one turn is one group, and each has its own answer', async (t) => {
  const { ask, groups, sent } = open()
  const all = Promise.all([1, 2, 3].map(ask))
  t.deepEqual(sent(), [])
  await turn()
  t.deepEqual(sent(), [[1, 2, 3]])
  groups[0]?.answer()
  t.deepEqual(await all, [10, 20, 30])
})

test('what is asked while a group is under way is the next one', async (t) => {
  const { ask, groups, sending, sent } = open()
  const first = ask(1)
  await turn()
  const second = ask(2)
  await turn()
  const third = ask(3)
  await turn()
  t.deepEqual(sent(), [[1]])
  groups[0]?.answer()
  t.is(await first, 10)
  await sending(2)
  t.deepEqual(sent(), [[1], [2, 3]])
  groups[1]?.answer()
  t.deepEqual(await Promise.all([second, third]), [20, 30])
})

test('what comes in the turn after an answer goes with those that have waited for it', async (t) => {
  const { ask, groups, sending, sent } = open()
  const first = ask(1)
  await turn()
  const second = ask(2)
  groups[0]?.answer()
  t.is(await first, 10)
  await turn()
  await turn()
  const third = ask(3)
  await sending(2)
  t.deepEqual(sent(), [[1], [2, 3]])
  groups[1]?.answer()
  t.deepEqual(await Promise.all([second, third]), [20, 30])
})

test('a group has an end, and the rest follows', async (t) => {
  const { ask, groups, sending, sent } = open({ groupMax: 2 })
  const all = Promise.all([1, 2, 3].map(ask))
  await turn()
  t.deepEqual(sent(), [[1, 2]])
  groups[0]?.answer()
  await sending(2)
  t.deepEqual(sent(), [[1, 2], [3]])
  groups[1]?.answer()
  t.deepEqual(await all, [10, 20, 30])
})

test('the error of one is not that of the others', async (t) => {
  const { ask, groups } = open()
  const all = Promise.allSettled([1, -2, 3].map(ask))
  await turn()
  groups[0]?.answer()
  t.deepEqual(
    (await all).map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
    [10, 'RangeError: -2', 30],
  )
})

test('the error of a group is that of all in it, and of nobody after it', async (t) => {
  const { ask, groups, sending } = open()
  const failed = Promise.allSettled([1, 2].map(ask))
  await turn()
  const next = ask(3)
  groups[0]?.answer(new Error('cut'))
  t.deepEqual(
    (await failed).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await sending(2)
  groups[1]?.answer()
  t.is(await next, 30)
})

test('who has waited too long is told so in time and not sent, and who came later is', async (t) => {
  const { ask, groups, sending, sent } = open({ timeoutMs: 100 })
  // As the connection of a real one does: who waits in vain does not keep the process alive.
  const alive = setInterval(() => undefined, 1_000)
  t.teardown(() => clearInterval(alive))
  const told = (question: number, message: RegExp) =>
    t.throwsAsync(ask(question), { instanceOf: UnavailableError, message })
  const first = told(1, /not answered in time/)
  await turn()
  const late = told(2, /waited too long to be sent/)
  await first
  await late
  const waiting = ask(3)
  groups[0]?.answer()
  await sending(2)
  t.deepEqual(sent(), [[1], [3]])
  groups[1]?.answer()
  t.is(await waiting, 30)
})

test('half of many go, so that the others may go beside them, as far as they may go together', async (t) => {
  for (const [count, size] of [
    [2, 2],
    [3, 2],
    [5, 3],
    [8, 4],
    [20, 4],
  ] as const) {
    const { ask, sending, sent } = open({ groupMax: 4, besideFrom: 2, halfFrom: 2 })
    for (let question = 0; question < count; question += 1) void ask(question)
    await sending(1)
    t.is(sent()[0]?.length, size, `of ${count}`)
  }
})

test('a second group leaves beside the first if it is large enough, and no third', async (t) => {
  const { ask, groups, sending, sent } = open({ groupMax: 2, besideFrom: 2 })
  const first = ask(1)
  await sending(1)
  const second = ask(2)
  await turn()
  await turn()
  t.deepEqual(sent(), [[1]], 'one is too few')
  const others = [3, 4, 5].map(ask)
  await sending(2)
  await turn()
  await turn()
  t.deepEqual(sent(), [[1], [2, 3]], 'two are under way')
  groups[1]?.answer()
  t.deepEqual(await Promise.all([second, others[0]]), [20, 30], 'the first is still under way')
  await sending(3)
  t.deepEqual(sent(), [[1], [2, 3], [4, 5]])
  groups[0]?.answer()
  groups[2]?.answer()
  t.deepEqual(await Promise.all([first, ...others]), [10, 30, 40, 50])
})

test('too few for a second group leave when the first is answered', async (t) => {
  const { ask, groups, sending, sent } = open({ besideFrom: 2 })
  const all = [ask(1)]
  await sending(1)
  all.push(ask(2), ask(3))
  await sending(2)
  all.push(ask(4))
  groups[0]?.answer()
  t.is(await all[0], 10)
  await turn()
  await turn()
  await turn()
  t.deepEqual(sent(), [[1], [2, 3]], 'a group of two is under way')
  groups[1]?.answer()
  await sending(3)
  groups[2]?.answer()
  t.deepEqual(await Promise.all(all), [10, 20, 30, 40])
})

test('of two groups under way each gives up in its own time', async (t) => {
  const { ask, groups, sending } = open({ timeoutMs: 100, besideFrom: 1 })
  const alive = setInterval(() => undefined, 1_000)
  t.teardown(() => clearInterval(alive))
  const began = performance.now()
  const first = t.throwsAsync(ask(1), { message: /not answered in time/ })
  await sending(1)
  const second = ask(2)
  await sending(2)
  while (performance.now() - began < 5) await turn()
  groups[1]?.answer()
  t.is(await second, 20)
  await first
  const third = ask(3)
  await turn()
  t.is(groups.length, 3, 'the group that gave up is still under way, and another one leaves beside it')
  groups[2]?.answer()
  t.is(await third, 30)
})
