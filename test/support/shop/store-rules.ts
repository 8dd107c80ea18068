/** What the tests of every store have in common: an empty Redis before each, and rules that hold in all of them. */

import test from 'ava'
import { invalidReason } from '../../../shared/contract/dictionary.ts'
import type { Service } from '../../../shared/contract/services.ts'
import { logKey } from '../../../shared/log/entry.ts'
import type { Log } from '../../../shared/log/log.ts'
import type { Transition, Transitions } from '../../../shared/saga/transitions.ts'
import type { Dependencies } from '../../../shared/service.ts'
import { openBench, resultsSeen, saidIn, type Teller, teller } from './open-store.ts'

/** Opens a store over a Redis that is emptied before each test. After each, every entry of its log can be read by a peer. */
export const openStoreForTests = async <Store extends { readonly log: Log }>(
  open: (dependencies: Dependencies) => Store,
  reactions: Parameters<typeof resultsSeen>[1],
  /** Whose commands are to be seen through; if not those of the service that are in no room of their own tests. */
  room?: Parameters<typeof resultsSeen>[2],
) => {
  const bench = await openBench()
  const store = open(bench.dependencies)
  const { log } = store
  const results = resultsSeen(log, reactions, room)
  let told = teller(log)

  test.serial.beforeEach(async () => {
    await bench.redis.flushall()
    told = teller(log)
  })
  test.serial.afterEach.always('every entry can be applied by a subscriber', async (t) => {
    for (const [id, fields] of await bench.redis.xrange(logKey(log.service), '-', '+'))
      t.is(invalidReason(log.service, [id, fields]), undefined)
  })
  test.after.always(() => bench[Symbol.asyncDispose]())

  const tell: Teller = (...entry) => told(...entry)
  const emitted = async (): Promise<readonly string[]> => (await saidIn(log)).map(({ kind }) => kind)
  return {
    bench,
    store,
    tell,
    /** The kinds of all entries of the log. */
    emitted,
    /** The kinds of those that are appended while something is done. */
    emittedDuring: async (work: () => Promise<unknown>): Promise<readonly string[]> => {
      const before = (await emitted()).length
      await work()
      return (await emitted()).slice(before)
    },
    /** The state in the record of the checkout `it`. */
    stateOfIt: async (): Promise<string> => (await log.recorded('it')).state ?? 'none',
    /** To be called last. */
    holdEveryResult: (): void =>
      test.serial('every result that a command promises was returned by now, and no other', async (t) => {
        t.deepEqual(results.unseen(), [])
        await t.notThrowsAsync(log.count())
      }),
  }
}

type Cells<State extends string, Event extends string, Way extends string> = {
  readonly log: Log
  readonly transitions: Transitions<Service, State, Event>
  /** What is brought into a state: `checkout`, if nothing else is said. */
  readonly saga?: string
  /** Each way to bring the saga `it` into a state. */
  readonly ways: readonly (readonly [way: Way, state: State])[]
  readonly bring: (way: Way) => Promise<unknown>
  readonly events: Readonly<Record<Event, (way: Way) => Promise<readonly (string | undefined)[]>>>
  readonly emittedDuring: (work: () => Promise<unknown>) => Promise<readonly string[]>
  /** What there is to see of the state, and how it should look. */
  readonly look: () => Promise<unknown>
  readonly looksIn: (state: State, way: Way) => unknown
  /** What an event returns the second time, where the table, which knows the state only, does not say it. */
  readonly again?: (way: Way, event: Event) => string | undefined
}

/** Tries every cell of a table of transitions on the real commands, and each event once more in the state it led to. */
export const holdTransitions = <State extends string, Event extends string, Way extends string>(
  cells: Cells<State, Event, Way>,
): void => {
  const { log, transitions, saga = 'checkout', ways, bring, events, emittedDuring, look, looksIn, again } = cells
  for (const [way, state] of ways)
    for (const event of Object.keys(events) as Event[]) {
      const [result, next, ...emitted] = transitions[state][event]
      const what = emitted.join(' and ') || 'nothing'
      test.serial(`${event} of a ${saga} that is ${way}: ${result}, ${what} is emitted`, async (t) => {
        const holds = async (
          [expected, then, ...kinds]: Transition<Service, State>,
          result = expected,
        ): Promise<void> => {
          let reply: readonly (string | undefined)[] = []
          const seen = await emittedDuring(async () => {
            reply = await events[event](way)
          })
          t.is(reply[0], result)
          t.deepEqual<readonly string[], readonly string[]>(seen, kinds)
          t.deepEqual(await look(), looksIn(then, way))
        }
        await bring(way)
        await holds(transitions[state][event])
        const answer = (await log.entriesOf('it')).at(-1)
        const repetition = transitions[next][event]
        await holds(repetition, again?.(way, event))
        if (repetition[1] !== next) return
        const last = (await log.entriesOf('it')).at(-1)
        t.is(last?.kind, answer?.kind, 'once more the same is answered')
        t.deepEqual(last?.facts, answer?.facts)
      })
    }
}

/** The same, where there is one way into each state: to be brought there. */
export const holdStates = <State extends string, Event extends string>(
  cells: Omit<Cells<State, Event, State>, 'ways'>,
): void => {
  const states = Object.keys(cells.transitions) as State[]
  holdTransitions({ ...cells, ways: states.map((state) => [state, state] as const) })
}
