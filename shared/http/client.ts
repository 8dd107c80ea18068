/**
 * How is a neighbour asked a question that cannot wait?
 *
 * Some questions must be answered at once: does this exist, what does it cost, which block of identifiers is mine. They
 * are asked through here: kept-alive connections, a time-out of its own, the next replica if one does not answer. No saga
 * asks: it hears.
 */
import { Agent } from 'node:http'
import axios from 'axios'
import { NeighbourError } from '../errors.ts'
import type { Step } from '../process/step.ts'

const TIMEOUT_MS = 1_500

/** On whose behalf a neighbour is asked: as that client authorised itself, and by what logs call its request. */
export type Asker = { readonly authorization?: string | undefined; readonly requestId?: string | undefined }

export type Question = Asker & {
  /** How long each replica may think. */
  readonly timeoutMs?: number
}

export type Neighbour = {
  /** The answer's status and body. @throws NeighbourError if no replica gives one that is the neighbour's own. */
  readonly ask: (
    method: 'get' | 'post',
    path: string,
    question?: Question,
  ) => Promise<{ status: number; data: unknown }>
}

export const neighbour = (step: Step, name: string, origins: readonly string[]): Neighbour => {
  const asking = `ask-${name}`
  const client = axios.create({
    httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }),
    proxy: false,
    maxRedirects: 0,
    validateStatus: () => true,
  })
  let turn = 0
  return {
    ask: async (method, path, { authorization, requestId, timeoutMs = TIMEOUT_MS } = {}) => {
      // Others ask meanwhile and move the turn: what counts here is where this question began.
      const first = turn++
      let reason: unknown
      for (let tried = 0; tried < origins.length; tried += 1) {
        try {
          const url = `${origins[(first + tried) % origins.length]}${path}`
          // What is undefined is not sent.
          const headers = { authorization, 'x-request-id': requestId }
          const { status, data } = await step(asking, () =>
            client.request<unknown>({ method, url, timeout: timeoutMs, headers }),
          )
          if (status < 500) return { status, data }
          reason = `it answered ${status}`
        } catch (error) {
          reason = error
        }
      }
      throw new NeighbourError(`${name} does not answer`, { cause: reason })
    },
  }
}
