/**
 * What is appended to the log of one service?
 *
 * One reader asks a ready replica for it (`GET /orders/events`), and another one, behind the last that was read, when that ends.
 * However many consoles are looked at, it is asked once.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Step } from '../../shared/process/step.ts'
import type { ReplicaSet } from '../proxy/replica-set.ts'
import type { Digest } from './checkouts.ts'

/** A service sends at least a comment each ten seconds. */
const SILENT_MS = 25_000
const AGAIN_MS = 500
/** The most of an event that is not whole yet. */
const UNREAD_MAX = 2_000_000

export type Borne = () => readonly string[]

export type ServiceEventsOptions = {
  readonly service: ReplicaSet
  /** Where it tells what is appended. */
  readonly path: string
  /** Of how many entries, if not of all that it would read. */
  readonly most: number | undefined
  /** By what a service lets one in: names and values of headers. */
  readonly borne: Borne
  readonly step: Step
  readonly onDigest: (digest: Digest) => void
  /** The service does not let one in who bears this. */
  readonly onRefused: () => void
  readonly log: Logger
}

/** The fields of one event, by their names. */
const fieldsOf = (event: string): ReadonlyMap<string, string> =>
  new Map(
    event.split('\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()]
    }),
  )

/** Cuts a stream into its events. */
async function* eventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<ReadonlyMap<string, string>> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    if (text.length > UNREAD_MAX) throw new Error('an event of a service is too long')
    for (const event of events) yield fieldsOf(event)
  }
}

/** Reads until the signal. */
export const readServiceEvents = async (options: ServiceEventsOptions, signal: AbortSignal): Promise<void> => {
  const { service, path, most, borne, step, onDigest, onRefused, log } = options
  const watching = `watch-${service.name}`
  const target = most === undefined ? path : `${path}?most=${most}`
  let seen: string | undefined

  const read = async (): Promise<void> => {
    const replica = service.pick({ kind: 'long' })
    if (replica === undefined) return
    const headers = [...borne(), ...(seen === undefined ? [] : ['last-event-id', seen])]
    const { statusCode, body } = await step(watching, () =>
      replica.pools
        .of({ kind: 'long' })
        .request({ method: 'GET', path: target, headers, signal, bodyTimeout: SILENT_MS }),
    )
    if (statusCode !== 200) {
      await body.dump()
      if (statusCode === 401 || statusCode === 403) onRefused()
      return
    }
    for await (const event of eventsOf(body)) {
      if (event.get('event') !== 'appended') continue
      seen = event.get('id') ?? seen
      onDigest(JSON.parse(event.get('data') ?? '') as Digest)
    }
  }

  while (!signal.aborted) {
    try {
      await read()
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error, service: service.name }, 'its events broke off')
    }
    await after(AGAIN_MS, undefined, { signal }).catch(() => undefined)
  }
}
