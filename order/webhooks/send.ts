/**
 * How is an event sent, once?
 *
 * By one POST in structured content mode. Its media type is that of a CloudEvent, for by this alone does a receiver of CloudEvents know the
 * mode; who verifies a signature takes the bytes as they are, whatever they are called. Only the status of the answer is looked at, for as
 * long as `ATTEMPT_MS`.
 */
import { Agent, request as requestHttp } from 'node:http'
import { request as requestHttps, Agent as SecureAgent } from 'node:https'
import { codeOf, messageOf } from '../../shared/errors.ts'
import type { Dependencies } from '../../shared/service.ts'
import { type Message, signed } from './signature.ts'
import { publicLookup, refusalOf } from './target.ts'

const ATTEMPT_MS = 10_000
/** So much of an answer is read, so that the connection can be used again. */
const ANSWER_MAX_BYTES = 65_536
const ERROR_MAX = 200

/** What came of an attempt: the status that was answered, or why there is none. */
export type Attempt = {
  readonly status: number | null
  readonly error: string | null
  readonly retryAfter: string | undefined
  readonly tookMs: number
}

export type Target = { readonly url: string; readonly secrets: readonly string[] }

export type Sender = {
  /** Makes one attempt. It ends with its signal, however little the receiver does. */
  readonly send: (target: Target, message: Message, signal: AbortSignal) => Promise<Attempt>
  readonly close: () => void
}

type Answer = Pick<Attempt, 'status' | 'error' | 'retryAfter'>

const failed = (error: unknown): Answer => ({
  status: null,
  // One of several addresses in vain is told without a message.
  error: (messageOf(error) || codeOf(error) || 'it cannot be reached').slice(0, ERROR_MAX),
  retryAfter: undefined,
})

export const openSender = (step: Dependencies['step'], isPrivateAllowed: boolean): Sender => {
  const agents = { 'http:': new Agent({ keepAlive: true }), 'https:': new SecureAgent({ keepAlive: true }) }
  const lookup = isPrivateAllowed ? {} : { lookup: publicLookup }

  const post = (url: URL, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const isSecure = url.protocol === 'https:'
    const agent = isSecure ? agents['https:'] : agents['http:']
    const request = (isSecure ? requestHttps : requestHttp)(url, { method: 'POST', headers, agent, signal, ...lookup })
    request.on('error', (error) => resolve(failed(error)))
    // Else nothing is ever heard of one that was not asked to speak something else, and does.
    request.on('upgrade', ({ statusCode: status = 0 }, socket) => {
      socket.destroy()
      resolve({ status, error: null, retryAfter: undefined })
    })
    request.on('response', (response) => {
      const { statusCode: status = 0, headers: answered } = response
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_MAX_BYTES) response.destroy()
      })
      // The status is known, whatever becomes of the rest.
      response.on('error', () => undefined)
      response.on('close', () => resolve({ status, error: null, retryAfter: answered['retry-after'] }))
    })
    request.end(body)
    return promise
  }

  return {
    send: async ({ url: text, secrets }, message, signal) => {
      const begun = performance.now()
      const url = new URL(text)
      const headers = {
        'Content-Type': 'application/cloudevents+json; charset=utf-8',
        'User-Agent': 'saga-shop',
        ...signed(secrets, message, Date.now()),
      }
      const timeout = AbortSignal.timeout(ATTEMPT_MS)
      const refusal = refusalOf(url, isPrivateAllowed)
      const answer =
        refusal === undefined
          ? await step('send-event', () => post(url, headers, message.body, AbortSignal.any([signal, timeout])))
          : failed(new Error(refusal))
      const isLate = answer.status === null && timeout.aborted && !signal.aborted
      const error = isLate ? `there was no answer within ${ATTEMPT_MS / 1_000} s` : answer.error
      return { ...answer, error, tookMs: Math.round(performance.now() - begun) }
    },
    close: () => {
      agents['http:'].destroy()
      agents['https:'].destroy()
    },
  }
}
