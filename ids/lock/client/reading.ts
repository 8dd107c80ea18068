/** What can be read of locks? */
import { LockRefusedError } from './errors.ts'
import { type Json, pause, type Wire } from './wire.ts'

export type Holder = {
  readonly owner: string | null
  readonly mode: string
  readonly permits: number
  readonly token: number
  readonly acquired_at: string
  readonly expires_in_ms: number
  readonly metadata: Readonly<Record<string, string>>
}
export type Waiter = {
  readonly owner: string | null
  readonly mode: string
  readonly permits: number
  readonly priority: number
  readonly since: string
  readonly metadata: Readonly<Record<string, string>>
}
/** A lock as the service shows it. */
export type LockInfo = {
  readonly name: string
  readonly state: 'free' | 'held' | 'delayed'
  readonly mode: string | null
  readonly limit: number | null
  readonly write: 'exclusive' | 'shared' | null
  readonly delay_ms: number
  /** For how long nobody gets it. */
  readonly delayed_for_ms: number
  readonly holders: readonly Holder[]
  readonly waiter_count: number
  readonly waiters?: readonly Waiter[]
  readonly token: number
}

/** One lock by itself, with its last events. */
export type LockDetails = LockInfo & {
  readonly history: readonly {
    readonly event: string
    readonly at: string
    readonly token: number | null
    readonly owner: string | null
    readonly mode: string | null
  }[]
}

/** Which locks: `name` and `owner` may hold a `*`. */
export type Wanted = {
  readonly name?: string
  readonly owner?: string
  readonly state?: 'held' | 'free' | 'contested'
  readonly mode?: string
  readonly waiters?: boolean
}

/** What has become of a lock: `event` says it in a word, and `state` comes first. */
export type LockEvent = { readonly id: string; readonly event: string; readonly data: Json }

export type Reading = {
  readonly info: (name: string) => Promise<LockDetails>
  /** For operators. */
  readonly list: (wanted?: Wanted) => AsyncIterable<LockInfo>
  /** May what came with this token still be believed? */
  readonly isCurrent: (name: string, token: number) => Promise<boolean>
  /** What becomes of one lock, or of all whose names fit a pattern with a `*` (for operators); until the signal is aborted. */
  readonly watch: (name: string, options?: { readonly signal?: AbortSignal }) => AsyncIterable<LockEvent>
}

/** How long after a connection broke the next one is opened. */
const AGAIN_MS = 500
const AGAIN_MAX_MS = 10_000

const pathOf = (name: string): string => `/locks/${encodeURIComponent(name)}`

/** The events of a stream of server-sent events, as far as they are whole. */
export async function* eventsIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LockEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.search(/\r?\n\r?\n/); end !== -1; end = text.search(/\r?\n\r?\n/)) {
      const lines = text.slice(0, end).split(/\r?\n/)
      text = text.slice(end).replace(/^\r?\n\r?\n/, '')
      const field = (name: string): readonly string[] =>
        lines.flatMap((line) => (line.startsWith(`${name}:`) ? line.slice(name.length + 1).replace(/^ /, '') : []))
      const data = field('data')
      if (data.length > 0)
        yield {
          id: field('id')[0] ?? '',
          event: field('event')[0] ?? 'message',
          data: JSON.parse(data.join('\n')) as Json,
        }
    }
  }
}

/** Follows a stream of events, and takes it up again where it broke. */
export async function* follow(wire: Wire, path: string, signal?: AbortSignal): AsyncGenerator<LockEvent> {
  let last = ''
  let pauseMs = AGAIN_MS
  while (!signal?.aborted) {
    try {
      const { body } = await wire.open(
        path,
        { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) },
        signal,
      )
      if (body === null) return
      for await (const event of eventsIn(body)) {
        last = event.id || last
        pauseMs = AGAIN_MS
        yield event
      }
    } catch (error) {
      if (signal?.aborted) return
      if (error instanceof LockRefusedError) throw error
    }
    await pause(pauseMs, signal).catch(() => undefined) // then the signal is aborted
    pauseMs = Math.min(AGAIN_MAX_MS, 2 * pauseMs)
  }
}

const queryOf = (fields: Readonly<Record<string, string | boolean | undefined>>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.append(name, String(value))
  return query.size === 0 ? '' : `?${query}`
}

export const openReading = (wire: Wire): Reading => {
  const read = async (path: string): Promise<Json> => {
    const { status, json } = await wire.ask('GET', path)
    if (status !== 200) throw new LockRefusedError(status, json)
    return json
  }
  return {
    info: async (name) => (await read(pathOf(name))) as LockDetails,
    async *list(wanted = {}) {
      for (let after: string | null | undefined; after !== null; ) {
        const page = (await read(`/locks${queryOf({ ...wanted, after })}`)) as {
          readonly locks: readonly LockInfo[]
          readonly next: string | null
        }
        yield* page.locks
        after = page.next
      }
    },
    isCurrent: async (name, token) => {
      const { status, json } = await wire.ask('GET', `${pathOf(name)}/tokens/${token}`)
      if (status === 200 || status === 410) return status === 200
      throw new LockRefusedError(status, json)
    },
    watch: (name, { signal } = {}) =>
      follow(wire, name.includes('*') ? `/locks/-/events${queryOf({ name })}` : `${pathOf(name)}/events`, signal),
  }
}
