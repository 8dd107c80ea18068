/**
 * What becomes of a saga in one service, as data?
 *
 * For each state and event: what the command returns, the state after it, and what it emits.
 *
 * The tables lie beside the services. A test tries every cell on the real commands, and their pictures are made of them.
 */

import type { KindOf } from '../contract/events.ts'
import type { Service } from '../contract/services.ts'

/** The result of the command that follows the event, the state after it, and the entries that it emits, in order. */
export type Transition<Publisher extends Service, State extends string> = readonly [
  result: string,
  next: State,
  ...emitted: KindOf<Publisher>[],
]

/** What an event leads to instead, where something else than the saga's state is not as it should be. */
export type Alternative<Publisher extends Service, State extends string, Event extends string> = readonly [
  state: State,
  event: Event,
  where: string,
  transition: Transition<Publisher, State>,
]

/** Of each state, what each event leads to. A state that an event does not change is its own next. */
export type Transitions<Publisher extends Service, State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Record<Event, Transition<Publisher, State>>>>
>
