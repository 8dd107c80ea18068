/**
 * How are a peer's entries applied?
 *
 * In batches: one script applies each entry, in order, by the command that follows its kind, and moves the *cursor*, which
 * lies beside the effects. So an entry is applied exactly once, however often and by however many processes it is read. An
 * entry that cannot be applied goes to the dead letters in the same step, and blocks nothing.
 */

import type { Redis } from 'ioredis'
import type { Dictionary } from '../contract/dictionary.ts'
import type { Contract, events, KindOf } from '../contract/events.ts'
import { isFlat, kindOf, type RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import { impossible } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { elements, result, text } from '../redis/reply.ts'
import type { Once, Reply, Script } from '../redis/script.ts'
import { type Args, linesOf, runOne } from './commands.ts'
import { type ConfirmationOptions, openConfirmation } from './confirmation.ts'
import type { Fence } from './fence.ts'
import type { Measured } from './measured.ts'

/** What follows an entry: the command that is run, and what is then emitted for each state it may lead to. */
export type Reaction<Publisher extends Service, Of extends Contract = typeof events> = {
  readonly command: string
  readonly emits: Readonly<Record<string, KindOf<Publisher, Of>>>
}

/** Which entries of which peers a service acts on. An entry that has no row is passed over. */
export type Reactions<Subscriber extends Service, Of extends Contract = typeof events> = {
  readonly [Publisher in Service]?: { readonly [Kind in KindOf<Publisher, Of>]?: Reaction<Subscriber, Of> }
}

export type Apply = {
  /** Whose logs are followed. */
  readonly publishers: readonly Service[]
  /** Which kinds of their entries are acted on. */
  readonly handledKinds: { readonly [Publisher in Service]?: readonly string[] }
  /** Up to where a peer's log was applied, as written beside the effects. */
  readonly cursor: (publisher: Service) => Promise<string>
  /** Is this entry of the publisher handled here? */
  readonly handles: (publisher: Service, entry: RawEntry) => boolean
  /**
   * Applies entries of a peer that were read after the cursor `known`.
   * @param traces what entries that are of a trace go on with here, by their ids
   * @returns one reply for each entry that is handled, or the true cursor if it is older than `known`.
   */
  readonly apply: (
    publisher: Service,
    known: string,
    entries: readonly RawEntry[],
    traces?: ReadonlyMap<string, string>,
  ) => Promise<readonly Reply[] | { gap: string }>
}

/** Which command applies an entry, or what is wrong with the entry. */
export type CommandAfter = (
  publisher: Service,
  entry: RawEntry,
) => { readonly command: string; readonly reason: string }

/** Runs the command `retry` with those that follow the publisher's entries. */
export type Retry = (publisher: Service, args: Args, once?: Once) => Promise<Reply>

export type ApplyOptions = {
  readonly service: Service
  readonly redis: Redis
  readonly step: Step
  readonly fence: Fence
  /** The hash of cursors. */
  readonly cursors: string
  /** Holds the entries of peers against the contract. */
  readonly dictionary: Dictionary
  /** The command that follows each kind of each peer. */
  readonly follows: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** What is asked and done before anything is applied, after each new connection to the own Redis. */
  readonly confirmation?: Pick<ConfirmationOptions, 'peer' | 'confirm'> | undefined
  readonly lostTails: ConfirmationOptions['lostTails']
  readonly measured: Pick<Measured, 'applied'>
  /** Called with the entry that says that a letter was retried. */
  readonly onAppended: (entry: string, text: string) => void
  /** Runs `lua/apply.lua`. */
  readonly batch: Script
  readonly scriptOf: (commands: readonly string[]) => Script
}

/** Reads what `lua/apply.lua` returns. */
const applied = (reply: unknown): readonly Reply[] | { gap: string } => {
  const replies = elements(reply)
  return replies[0] === 'gap' ? { gap: text(replies[1]) } : replies.map(result)
}

const TRACE = / trace=\S+/
/** The text that is applied of an entry, and its fields if that is not what they say. */
const toApply = (entry: RawEntry, text: string, trace: string | undefined): readonly [text: string, fields: string] => {
  if (trace !== undefined) return [text.replace(TRACE, ` trace=${trace}`), JSON.stringify(entry[1])]
  return [text, isFlat(entry) ? JSON.stringify(entry[1]) : '']
}

/** What `lua/apply.lua` wants of each of these entries. */
const argumentsOf = (
  publisher: Service,
  entries: readonly RawEntry[],
  { invalidReason, textOf }: Dictionary,
  traces: ReadonlyMap<string, string> | undefined,
): string[] => {
  const args: string[] = []
  for (const entry of entries) {
    const [id, fields] = entry
    const reason = invalidReason(publisher, entry)
    if (reason !== undefined) args.push(id, '', reason, JSON.stringify(fields))
    else args.push(id, kindOf(entry) ?? '', ...toApply(entry, textOf(publisher, entry), traces?.get(id)))
  }
  return args
}

/** Of each peer, by which commands its entries are applied, and by which script one of them alone. */
const peersIn = ({ follows, scriptOf }: ApplyOptions, publishers: readonly Service[]) =>
  new Map(
    publishers.map((publisher) => {
      const rows = follows[publisher] ?? {}
      return [
        publisher,
        {
          // A kind comes from outside, and may be named as something that every object has: hence a map.
          commands: new Map(Object.entries(rows)),
          applying: `hear-${publisher}`,
          single: scriptOf([...Object.values(rows), 'retry']),
        },
      ]
    }),
  )

export const openApply = (
  options: ApplyOptions,
): { readonly apply: Apply; readonly commandAfter: CommandAfter; readonly retry: Retry } => {
  const { service, redis, step, fence, cursors, follows, batch, measured, onAppended } = options
  const { invalidReason } = options.dictionary
  const publishers = Object.keys(follows) as Service[]
  const peers = peersIn(options, publishers)
  const peerOf = (publisher: Service) =>
    peers.get(publisher) ?? impossible('log.publisher', `${service} does not follow ${publisher}`)

  const cursor: Apply['cursor'] = async (publisher) =>
    (await step('cursor', () => redis.hget(cursors, publisher))) ?? '0-0'
  const confirmation =
    options.confirmation && openConfirmation({ ...options, ...options.confirmation, publishers, cursor })

  const handles: Apply['handles'] = (publisher, entry) => {
    const kind = kindOf(entry)
    return kind === undefined || peers.get(publisher)?.commands.has(kind) === true
  }

  const commandAfter: CommandAfter = (publisher, entry) => {
    const reason = invalidReason(publisher, entry)
    if (reason !== undefined) return { command: '', reason: reason.replaceAll('\n', ' ') }
    const command = peers.get(publisher)?.commands.get(kindOf(entry) ?? '')
    return { command: command ?? '', reason: command === undefined ? 'nothing follows from its kind any more' : '' }
  }

  const apply: Apply['apply'] = async (publisher, known, entries, traces) => {
    const handled = entries.filter((entry) => handles(publisher, entry))
    const args = [
      publisher,
      known,
      entries.at(-1)?.[0] ?? known,
      ...argumentsOf(publisher, handled, options.dictionary, traces),
    ]
    const { applying, commands } = peerOf(publisher)
    const commandOf = (entry: RawEntry): string => commands.get(kindOf(entry) ?? '') ?? ''
    const pending = confirmation?.pending()
    if (pending) await pending
    const askedAt = performance.now()
    const replies = applied(
      await step(
        applying,
        () => batch(redis, args),
        () => entries.flatMap((entry) => commandAfter(publisher, entry).command || []),
      ),
    )
    if ('gap' in replies) return replies
    confirmation?.written(publisher, entries.at(-1)?.[0] ?? known)
    measured.applied(publisher, handled, commandOf, replies, performance.now() - askedAt)
    return replies
  }

  const retry: Retry = async (publisher, args, once) => {
    const { single } = peerOf(publisher)
    const [reply, entry, text] = await fence.within(once, async (readMs) => {
      await confirmation?.pending()
      return step('retry', () => runOne(single, redis, { command: 'retry', lines: linesOf(args, once, readMs) }))
    })
    if (entry !== '') onAppended(entry, text)
    return reply
  }

  return {
    apply: {
      publishers,
      handledKinds: Object.fromEntries(
        publishers.map((publisher) => [publisher, Object.keys(follows[publisher] ?? {})]),
      ),
      cursor,
      handles,
      apply,
    },
    commandAfter,
    retry,
  }
}
