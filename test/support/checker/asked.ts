/**
 * Was everything that was done asked for, when it was done?
 *
 * What a client asks for is done while it waits for the answer, or at any later time if it never learns what became of it.
 * So each action of a thing that was created in the history must have happened within some request for it that was not
 * refused, and each checkout must have begun within some request for one. The times of a log are those of its Redis' clock,
 * whose distance from the clients' was read beside it.
 */
import type { Account, Accounts, Clocks, OrderState } from './accounts.ts'
import type { Anomaly } from './anomaly.ts'
import { CREATES, groupedBy, type Operation } from './history.ts'

/** How far two readings of clocks may differ, and what lies between a script's clock and its effect. */
export const SLACK_MS = 50

/** Was it told that an order will be cancelled, once its checkout is undone? */
export const isPromised = ({ does, status }: Operation): boolean =>
  (does === 'cancel' || does === 'delete') && status === 202

/** Could it have been done by this request at this time? What is promised, or whose outcome is unknown, may be done at any later time. */
const covers = (operation: Operation, atMs: number): boolean => {
  const { begunMs, endedMs, told } = operation
  // An order that is placed by form is checked out by its deadline.
  const isLasting = told === 'unknown' || isPromised(operation) || (operation.does === 'place-form' && told === 'ok')
  return begunMs - SLACK_MS <= atMs && (isLasting || atMs <= endedMs + SLACK_MS)
}

const toldIn = (operations: readonly Operation[]): string =>
  operations.map(({ status, problem, endedMs }) => `${status} ${problem} at ${Math.round(endedMs)}`).join(', ')

/** Does it ask for a checkout? An order that is placed by form is checked out at once. */
export const asksForCheckout = ({ does }: Operation): boolean =>
  does === 'checkout' || does === 'submit' || does === 'place-form'

/** The order that a request is about: one that was placed under a key, and not answered, is the one that this key is answered with. */
const orderAsked = (history: readonly Operation[]): ((operation: Operation) => string) => {
  const keyed = history.filter(({ idempotencyKey, facts }) => idempotencyKey !== undefined && facts.order !== undefined)
  const known = new Map(keyed.map(({ idempotencyKey, facts }) => [idempotencyKey, facts.order ?? '']))
  return ({ facts, idempotencyKey }) => facts.order ?? known.get(idempotencyKey) ?? ''
}

/** Checkouts that began although nobody was asking for one, and those that were paid although whoever asked was refused. */
export const unaskedCheckouts = (
  history: readonly Operation[],
  { timelines, sagas }: Account<OrderState>,
  clockMs: number,
): Anomaly[] => {
  const created = new Set(history.filter(({ does }) => CREATES[does] === 'order').map(({ facts }) => facts.order))
  const orderOf = orderAsked(history)
  const asked = groupedBy(history.filter(asksForCheckout), orderOf)
  return [...timelines].flatMap(([thing, moments]) => {
    const order = thing.replace('order:', '')
    if (!created.has(order)) return []
    const submitted = new Set(moments.filter(({ action }) => action === 'submitted').map(({ saga }) => saga))
    return moments.flatMap(({ action, saga = '', loggedMs }): Anomaly[] => {
      // What was submitted is begun when its turn comes.
      if (action !== 'submitted' && (action !== 'checking-out' || submitted.has(saga))) return []
      const all = asked.get(order) ?? []
      const atMs = loggedMs - clockMs
      const by = all.filter((one) => covers(one, atMs))
      const says = `${saga} began at ${Math.round(atMs)}, told were: ${toldIn(all)}`
      if (by.length === 0) return [{ name: 'checkout-unasked', about: thing, says }]
      const isUntrue = sagas.get(saga)?.state === 'paid' && by.every(({ told }) => told === 'refused')
      return isUntrue ? [{ name: 'refusal-became-payment', about: thing, says }] : []
    })
  })
}

/** An action's name is that of its timeline; `requests` are those for it, whatever they were told. */
export type Named = { readonly thing: string; readonly label: string; readonly requests: readonly Operation[] }

/** Actions that were done at a time at which nobody asked for them who was not refused. */
export const unaskedActions = (
  named: readonly Named[],
  accounts: Accounts,
  clocks: Clocks,
  isWhole: (thing: string) => boolean,
): Anomaly[] =>
  named.flatMap(({ thing, label, requests }) => {
    if (!isWhole(thing)) return []
    return (['payment', 'stock', 'order'] as const).flatMap((participant) => {
      const clockMs = clocks[participant]
      const moments = accounts[participant].timelines.get(thing) ?? []
      if (clockMs === undefined) return []
      return moments.flatMap(({ action, loggedMs }): Anomaly[] => {
        const atMs = loggedMs - clockMs
        if (action !== label || requests.some((one) => one.told !== 'refused' && covers(one, atMs))) return []
        const says = `${label} was done at ${Math.round(atMs)}, told were: ${toldIn(requests)}`
        return [{ name: 'action-unasked', about: thing, says }]
      })
    })
  })
