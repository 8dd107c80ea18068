/**
 * How is the shop harmed for show?
 *
 * Under `npm start` the launcher owns all parts: it says by messages what it would do (kill one, freeze one, set a Redis back,
 * let customers in), and the gateway asks it to. Where no launcher says so, as in containers, there is no such route.
 */
import type { ServerResponse } from 'node:http'
import { problem } from '../../shared/http/problem.ts'
import { noSuchRoute, sendProblem, sendText } from '../proxy/answers.ts'

/** What the launcher says of itself: which parts it would harm, who is let in, and what is being done. */
export type DemoState = {
  readonly parts: readonly string[]
  readonly redis: readonly string[]
  readonly customers: { readonly until: number; readonly checkouts: number } | null
  readonly doing: readonly { readonly part: string; readonly what: string; readonly until: number }[]
}

/** A message of the launcher: how it stands, or what came of what it was asked. */
type Told =
  | { readonly type: 'demo-state'; readonly state: DemoState }
  | { readonly type: 'demo-done'; readonly id: number; readonly refusal: string | null }

/** The launcher, as this process reaches it. */
export type Launcher = {
  readonly tell: (message: object) => void
  readonly onTold: (listener: (message: unknown) => void) => void
}

const DEMO = /^\/console\/demo\/(let-in|send-home|kill|freeze|set-back)(?:\/([a-z0-9-]{1,40}))?$/
/** The launcher answers at once, and does it then. */
const LATE_MS = 3_000

const isTold = (message: unknown): message is Told =>
  typeof message === 'object' && message !== null && /^demo-/.test(String((message as { type?: unknown }).type))

const refused = (detail: string) => problem(409, 'not-now', 'It is not done now', detail)
const late = () => problem(504, 'no-reply-in-time', 'The launcher does not answer', 'it may be done still')

export type Demo = {
  readonly state: () => DemoState | null
  /** Whether this asks for harm, and there is what does it. */
  readonly knows: (path: string) => boolean
  readonly answer: (response: ServerResponse, path: string, requestId: string) => void
}

export const openDemo = (launcher: Launcher | undefined): Demo => {
  const asked = new Map<number, (refusal: string | null) => void>()
  let state: DemoState | null = null
  let last = 0

  launcher?.onTold((message) => {
    if (!isTold(message)) return
    if (message.type === 'demo-state') state = message.state
    else asked.get(message.id)?.(message.refusal)
  })

  return {
    state: () => state,
    knows: (path) => state !== null && DEMO.test(path),
    answer: (response, path, requestId) => {
      const [, what, part] = DEMO.exec(path) ?? []
      if (launcher === undefined || state === null) return sendProblem(response, noSuchRoute(path), requestId)
      last += 1
      const id = last
      const timer = setTimeout(() => {
        asked.delete(id)
        sendProblem(response, late(), requestId)
      }, LATE_MS)
      asked.set(id, (refusal) => {
        clearTimeout(timer)
        asked.delete(id)
        if (refusal === null) sendText(response, JSON.stringify({ done: what, part }), requestId, 'application/json')
        else sendProblem(response, refused(refusal), requestId)
      })
      launcher.tell({ type: 'demo', id, what, part: part ?? '' })
    },
  }
}
