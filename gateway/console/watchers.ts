/**
 * Who looks at the shop?
 *
 * Each console has one answer that does not end (server-sent events). What happens is put into words once, and sent to all of
 * them. First each is sent all there is, then what is new. What a console does not read is kept for it up to a bound; then its
 * connection is closed, and it may come again.
 */
import type { ServerResponse } from 'node:http'
import type { Passed } from '../proxy/headers.ts'
import type { StillHolds } from '../proxy/streams.ts'

const UNREAD_MAX_BYTES = 262_144
/** After how long one is to come again. */
const RETRY_MS = 1_000
export const WATCHERS_MAX = 2_000

const eventOf = (name: string, data: unknown): Buffer =>
  Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

export type WatchersOptions = {
  readonly stillHolds: StillHolds | undefined
  /** There is a first one, or none any more. */
  readonly onFirst: () => void
  readonly onLast: () => void
}

export type Watchers = {
  readonly count: () => number
  readonly add: (response: ServerResponse, passed: Passed, isHead: boolean) => void
  /** Sends what is new to those that have seen the rest, and all of it to the others. */
  readonly tell: (news: () => unknown, whole: () => unknown) => void
  /** By what services let one of them in: the headers that say so. */
  readonly borne: () => readonly string[]
  /** Ends those that bear nothing by which they could be let in. */
  readonly endStrangers: () => void
  readonly endAll: () => void
}

type Watcher = { readonly passed: Passed; readonly borne: readonly string[]; hasSeenAll: boolean }

/** The headers among these by which a service lets one in. */
const AUTHORISING: ReadonlySet<string> = new Set(['authorization', 'shop-caller', 'shop-gateway'])
export const authorising = (headers: readonly string[]): readonly string[] =>
  headers.filter((_, at) => AUTHORISING.has(headers[at - (at % 2)] ?? ''))

const send = (response: ServerResponse, bytes: Buffer): void => {
  if (response.destroyed || response.writableEnded) return
  if (response.writableLength + bytes.length > UNREAD_MAX_BYTES && response.writableLength > 0) response.destroy()
  else response.write(bytes)
}

export const openWatchers = ({ stillHolds, onFirst, onLast }: WatchersOptions): Watchers => {
  const watchers = new Map<ServerResponse, Watcher>()

  const look = (holds: StillHolds): void => {
    for (const [response, { passed }] of watchers)
      void holds(passed).then((still) => {
        if (!still) response.end()
      })
  }

  return {
    count: () => watchers.size,
    add: (response, passed, isHead) => {
      const headers = ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no']
      response.writeHead(200, [...headers, 'X-Request-Id', passed.requestId])
      if (isHead) return void response.end()
      response.write(`retry: ${RETRY_MS}\n\n`)
      const { socket } = response.req
      const end = (): void => void response.end()
      watchers.set(response, { passed, borne: authorising(passed.headers), hasSeenAll: false })
      if (watchers.size === 1) onFirst()
      socket.once('end', end)
      response.once('close', () => {
        socket.off('end', end)
        watchers.delete(response)
        if (watchers.size === 0) onLast()
      })
      if (response.destroyed || socket.readableEnded) response.end()
    },
    tell: (news, whole) => {
      const next = eventOf('news', news())
      let all: Buffer | undefined
      for (const [response, watcher] of watchers) {
        if (!watcher.hasSeenAll) all ??= eventOf('whole', whole())
        send(response, watcher.hasSeenAll ? next : (all ?? next))
        watcher.hasSeenAll = true
      }
      if (stillHolds) look(stillHolds)
    },
    borne: () => watchers.values().next().value?.borne ?? [],
    endStrangers: () => {
      for (const [response, { borne }] of watchers) if (!borne.includes('authorization')) response.end()
    },
    endAll: () => {
      for (const response of watchers.keys()) response.end()
    },
  }
}
