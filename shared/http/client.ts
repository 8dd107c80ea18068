/**
 * How is a peer asked a query that cannot wait?
 *
 * Some queries must be answered at once: does this exist, what does it cost, which block of identifiers is mine. They are asked through
 * here: kept-alive connections, a time-out of its own, the next replica if one does not answer, none that was silent again and again
 * (`breaker.ts`), and an answer that is read by the schema of its query. No saga asks: it reads logs.
 */
import { Agent, request as httpRequest } from 'node:http'
import axios, { type AxiosAdapter, AxiosError, isAxiosError } from 'axios'
import * as v from 'valibot'
import { PeerError } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { openBreaker } from './breaker.ts'
import { CALLER_HEADER, callerText, GATEWAY_HEADER, SERVICE } from './caller.ts'
import type { Problem } from './problem.ts'
import { noSuchRoute } from './problems.ts'
import type { Fields, Row } from './route.ts'

const TIMEOUT_MS = 1_500

/** What a query needs of its row. */
export type PeerQuery = Pick<Row, 'method' | 'path' | 'params' | 'query'> & {
  readonly answers: { readonly 200: { readonly json: v.GenericSchema } }
}

/** On whose behalf a peer is asked: as that client authorised itself, by what logs call its request, and in which trace. */
export type Requester = {
  readonly authorization?: string | undefined
  readonly requestId?: string | undefined
  /** Of which sampled trace it is. */
  readonly trace?: string | undefined
}

type Texts<F extends Fields> = v.InferInput<v.ObjectSchema<F, undefined>>

/** What is asked: the fields of the query as texts. */
export type Asked<Q extends PeerQuery> = Requester & {
  /** How long each replica may think. */
  readonly timeoutMs?: number
  readonly params?: Readonly<Record<string, string | undefined>>
  readonly query?: Readonly<Record<string, string | undefined>>
} & (Q extends { readonly params: infer F extends Fields } ? { readonly params: Texts<F> } : unknown) &
  (Q extends { readonly query: infer F extends Fields } ? { readonly query: Texts<F> } : unknown)

/** What a peer answers: what was asked for, or why not. */
export type PeerAnswer<Q extends PeerQuery> =
  | { readonly json: v.InferOutput<Q['answers'][200]['json']> }
  | { readonly problem: Problem }

export type Peer = {
  /** @throws PeerError if no replica gives an answer that is the peer's own. */
  readonly ask: <const Q extends PeerQuery>(query: Q, asked: Asked<Q>) => Promise<PeerAnswer<Q>>
}

const problemDocument = v.looseObject({
  type: v.custom<Problem['type']>((type) => typeof type === 'string' && type.startsWith('urn:shop:problem:')),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
})

const ofOlderVersion = v.looseObject({ type: v.literal(noSuchRoute.type) })

/** What axios throws has all that was asked, the secret and the token of an operator among it, which are for no log. */
const bare = (error: unknown): unknown => {
  if (!isAxiosError(error)) return error
  const { message, code } = error
  return Object.assign(new Error(message), { code }, 'errno' in error ? { errno: error.errno } : {})
}

/**
 * Sends what axios was asked for, and reads the answer as a text. What peers ask each other has no body, is not compressed, and is not
 * redirected; its own adapter prepares for all of that, at more than twice the cost.
 */
const openAdapter = (agent: Agent): AxiosAdapter => {
  return (config) =>
    new Promise((resolve, reject) => {
      const { url = '', method, headers, timeout } = config
      const request = httpRequest(url, { method: method?.toUpperCase(), headers: headers.toJSON(), agent })
      const silent = () =>
        new AxiosError(`there was no answer within ${timeout} ms`, AxiosError.ECONNABORTED, config, request)
      const timer = setTimeout(() => request.destroy(silent()), timeout)
      request.on('response', (response) => {
        const { statusCode: status = 0, statusMessage: statusText = '' } = response
        let data = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          data += text
        })
        response.on('end', () => resolve({ data, status, statusText, headers: {}, config, request }))
        response.on('error', reject)
      })
      request.on('error', reject)
      request.on('close', () => clearTimeout(timer))
      request.end()
    })
}

/** It has not answered in time, and may be frozen; what fails otherwise fails at once. */
const isSilence = (error: unknown): boolean => isAxiosError(error) && error.code === 'ECONNABORTED'

/** The target of a request: the path with its parameters, and the query. */
const targetOf = (path: string, { params = {}, query = {} }: Asked<PeerQuery>): string => {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name] ?? ''))
  const asked = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return asked.length === 0 ? filled : `${filled}?${asked.join('&')}`
}

/** @param secret what shows the peer that a service asks; `''` where nobody need show it */
export const peer = (step: Step, name: string, origins: readonly string[], secret = ''): Peer => {
  const asking = `ask-${name}`
  const asService = secret === '' ? {} : { [GATEWAY_HEADER]: secret, [CALLER_HEADER]: callerText(SERVICE) }
  const client = axios.create({
    adapter: openAdapter(new Agent({ keepAlive: true, maxSockets: 64 })),
    validateStatus: () => true,
  })
  const replicas = origins.map((origin) => ({ origin, breaker: openBreaker() }))
  let turn = 0

  /** The status and the body of what the first replica answers that answers at all. */
  const request = async (
    method: Row['method'],
    target: string,
    { authorization, requestId, trace, timeoutMs = TIMEOUT_MS }: Asked<PeerQuery>,
  ): Promise<{ readonly status: number; readonly data: unknown }> => {
    // Others ask meanwhile and move the turn: what counts here is where this query began.
    const first = turn++
    let reason: unknown
    for (let tried = 0; tried < origins.length; tried += 1) {
      const replica = replicas[(first + tried) % replicas.length]
      const end = replica?.breaker.enter()
      if (replica === undefined || end === undefined) {
        reason ??= new Error('it was silent again and again, a moment ago')
        continue
      }
      let wasSilent = false
      try {
        const url = `${replica.origin}${target}`
        // What is undefined is not sent.
        const headers = { authorization, 'x-request-id': requestId, traceparent: trace, ...asService }
        const { status, data } = await step(asking, async () => {
          try {
            return await client.request<unknown>({ method, url, timeout: timeoutMs, headers })
          } catch (error) {
            wasSilent = isSilence(error)
            throw bare(error)
          }
        })
        const lacksRoute = status === 404 && v.is(ofOlderVersion, data)
        if (status < 500 && !lacksRoute) return { status, data }
        reason = lacksRoute ? 'it has no such route: it may be of an older version' : `it answered ${status}`
      } catch (error) {
        reason = error
      } finally {
        end(wasSilent)
      }
    }
    throw new PeerError(`${name} does not answer`, { cause: reason })
  }

  const read = <const Schema extends v.GenericSchema>(schema: Schema, data: unknown): v.InferOutput<Schema> => {
    const result = v.safeParse(schema, data)
    if (result.success) return result.output
    throw new PeerError(`${name} does not answer`, { cause: new v.ValiError(result.issues) })
  }

  return {
    ask: async (query, asked) => {
      const { status, data } = await request(query.method, targetOf(query.path, asked), asked)
      return status === 200 ? { json: read(query.answers[200].json, data) } : { problem: read(problemDocument, data) }
    },
  }
}
