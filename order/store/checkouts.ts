/** How is a checkout begun, found and cancelled? */
import { impossible } from '../../shared/errors.ts'
import { compareIds } from '../../shared/log/entry.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import { type ArgsOf, knownResult, type Late, type ResultOnce } from '../../shared/redis/command.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { RunRepair } from '../../shared/saga/recovery.ts'
import type { Dependencies } from '../../shared/service.ts'
import * as commands from '../commands.ts'
import { endedOf, isUndecided, type Undecided } from '../order.ts'
import type { Decisions } from './decisions.ts'

/** A checkout as it is recorded: how it ended, or how long its deadline is ahead. */
export type Recorded =
  | commands.Decision
  | { readonly id: string; readonly state: Undecided; readonly order: string; readonly leftMs: number }

export type CheckoutStore = {
  /** The time of the own Redis, read anew: see `shared/log/fence.ts`. */
  readonly readMs: () => Promise<number>
  readonly saga: (id: string) => Promise<Recorded | undefined>
  /** What was returned under a request's key, and what is asked before it is refused for what a peer says. */
  readonly recall: Runner['recall']
  readonly refuse: Runner['refuse']
  /** Begins a checkout of the order if it is still as it was read. */
  readonly begin: (start: ArgsOf<typeof commands.begin>, once: Once) => Promise<commands.Begun | Late>
  /** Has the checkout of the order wait until it is begun. */
  readonly submit: (args: ArgsOf<typeof commands.submit>, once: Once) => Promise<commands.Submitted | Late>
  /** Makes an order over a value, and has its checkout wait until it is begun, once. */
  readonly placeAndSubmit: (
    placed: Omit<ArgsOf<typeof commands.placeAndSubmit>, 'log_id' | 'once'>,
    once: Once,
  ) => Promise<ResultOnce<typeof commands.placeAndSubmit> | Late>
  /** Answers a request under a key that needs no checkout of its own. */
  readonly join: (args: ArgsOf<typeof commands.join>, once: Once) => Promise<commands.Joined>
  readonly cancel: (id: string) => Promise<commands.Decision | undefined>
  /** The same at the wish of a person. */
  readonly revoke: (id: string, once: Once) => Promise<ResultOnce<typeof commands.cancel>>
}

export type CheckoutStoreOptions = Pick<Dependencies, 'catchUp' | 'outOfReach' | 'logger' | 'identifiers'> & {
  readonly log: Log
  readonly runner: Runner
  readonly decisions: Decisions
}

/** Under a key, each of them may return what was remembered of the other. */
const beginOnce = { ...commands.begin, returns: commands.checkoutAnswers }
const joinOnce = { ...commands.join, returns: commands.checkoutAnswers }
const submitOnce = { ...commands.submit, returns: commands.checkoutAnswers }

/** Logs that a checkout was not decided in time. */
const lateness = ({ log, outOfReach, logger }: CheckoutStoreOptions) => {
  /**
   * Names also the service that kept it waiting, as far as that is known here: a subscriber reports what it has read some
   * seconds late.
   */
  return async (log_id: string): Promise<void> => {
    try {
      const { fields, acked } = (await log.saga(log_id, ['payment'])).record
      const [started = '0-0'] = (fields.entries ?? '').split(' ')
      const waitedFor =
        fields.state === 'failed'
          ? 'it was not begun in time'
          : outOfReach().includes('payment')
            ? 'the log of payment is out of reach'
            : compareIds(acked.payment ?? '0-0', started) < 0
              ? 'payment has not read of it'
              : 'payment has read of it; it or stock has not answered'
      logger.warn({ order: fields.order, log_id, waitedFor }, 'a checkout was cancelled: its deadline has passed')
    } catch (error) {
      logger.warn({ log_id, err: error }, 'a checkout was cancelled: its deadline has passed')
    }
  }
}

/** Finds a checkout as it is recorded. */
const finder =
  ({ log, decisions }: CheckoutStoreOptions): CheckoutStore['saga'] =>
  async (id) => {
    const recorded = await log.recorded(id)
    const { state, reason = '', item = '', order = '', user = '', token = '', entries = '' } = recorded
    const { total = '0', amends = '' } = recorded
    if (state === undefined) return undefined
    if (isUndecided(state)) {
      const readMs = await log.readMs()
      return { id, state, order, leftMs: Number(recorded.deadline ?? readMs) - readMs }
    }
    const ended = endedOf({ id, state, reason, item }) ?? impossible('order.saga', recorded)
    const decision = { ...ended, order, user, token, total, entry: entries.split(' ').at(-1) ?? '', amends }
    decisions.acknowledge(decision)
    return decision
  }

export const openCheckoutStore = (
  options: CheckoutStoreOptions,
): {
  readonly checkouts: CheckoutStore
  /** Cancels a checkout for the log parser. */
  readonly repair: (onDecided: (decided: commands.Decision) => void) => RunRepair
} => {
  const { log, catchUp, runner, decisions, identifiers } = options
  const { runOnce, runFenced, recall, refuse } = runner
  const tellLate = lateness(options)

  /**
   * Whether or not it is late, a checkout whose end was emitted already is not cancelled: a Redis that came back older would
   * else undo what it has forgotten, and what its customer was answered.
   */
  const cancel = async (
    args: ArgsOf<typeof commands.cancel>,
    once?: Once,
  ): Promise<ResultOnce<typeof commands.cancel>> => {
    await catchUp()
    const result = await runOnce(commands.cancel, args, once)
    if (result[0] === 'cancelled' && args.reason === undefined) void tellLate(result[1].id)
    return result
  }

  return {
    checkouts: {
      readMs: log.readMs,
      saga: finder(options),
      recall,
      refuse,
      begin: (start, once) => runFenced(beginOnce, start, once),
      submit: (args, once) => runFenced(submitOnce, args, once),
      placeAndSubmit: (placed, once) =>
        runFenced(commands.placeAndSubmit, { ...placed, log_id: identifiers.next(), once: identifiers.next() }, once),
      join: (args, once) => runOnce(joinOnce, args, once),
      cancel: async (id) => decisions.decisionIn(await cancel({ log_id: id })),
      revoke: async (id, once) => {
        const known = await recall(commands.cancel.returns, once)
        if (known) return known
        const result = await cancel({ log_id: id, reason: 'operator' }, once)
        if (result[0] === 'cancelled') decisions.onMade(result[1])
        return result
      },
    },
    // Under a key it may be what another repair returned to the same request, which has decided nothing.
    repair: (onDecided) => async (args, once) => {
      await catchUp()
      const reply = await log.run(commands.cancel.name, args, once)
      const result = knownResult(commands.cancel.returns, reply)
      if (result === undefined) return reply[0]
      if (result[0] === 'cancelled') void tellLate(result[1].id)
      const decision = decisions.decisionIn(result)
      if (decision) onDecided(decision)
      return result[0]
    },
  }
}
