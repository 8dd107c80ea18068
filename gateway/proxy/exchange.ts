/**
 * What becomes of one proxied request?
 *
 * It is *sent* to a ready replica, or *waits* for one (up to `waitMs` in all, however often), and is then answered, exactly once:
 * with the replica's reply, passed on as it comes, or in the gateway's own name.
 *
 * | what happens                                             | then                                                     |
 * | -------------------------------------------------------- | -------------------------------------------------------- |
 * | could not be connected, or not sent for any other reason | sent to another replica, or waits                        |
 * | the replica turned it away unbegun (`X-Not-Started`)     | sent to another replica, or waits                        |
 * | broke after it was sent, and is safe to repeat           | sent to another replica, or waits                        |
 * | broke after it was sent, and is not safe to repeat       | 502, outcome unknown                                     |
 * | answered 503 after an earlier sending may have begun, and no read | 502, outcome unknown: it knows of this sending only |
 * | no reply within `timeoutMs`                              | 504, outcome unknown                                     |
 * | the replica is unresponsive for 2 s, another is ready or can do a part, and it is safe to repeat | sent to that one |
 * | the replica is unresponsive for 9 s                      | 504, outcome unknown                                     |
 * | the wait is over, and all replicas that are ready are full | 503, or 502 if it may have begun                       |
 * | the wait is over                                         | sent to one that can be reached; else 503, or 502 if it may have begun |
 * | the gateway stops while it waits for something to happen | sent again without the wait, or 503                      |
 * | broke after its reply had begun to be passed on          | the client's connection is broken too                    |
 * | the client has gone                                      | what was sent is finished, its reply dropped; the rest is not sent |
 *
 * To break off what a client that has gone had asked for would only cost a connection. What may be held for long is broken off
 * all the same, so that the service keeps no place for it, and no lock.
 *
 * This is the hot path: the object is its own handler for undici, and a request that simply succeeds makes no promise, no timer
 * and no listener of its own.
 */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Dispatcher } from 'undici'
import { impossible } from '../../shared/errors.ts'
import { NOT_STARTED_HEADER, type Problem } from '../../shared/http/problem.ts'
import type { CrashPoints } from '../../shared/process/crash-points.ts'
import { noReplica, noReplyInTime, outcomeUnknown, sendProblem, tooManyWaiting, unframeable } from './answers.ts'
import { ClientWatch, whenGone } from './client-watch.ts'
import { type Passed, passResponse } from './headers.ts'
import { isReplyLost } from './lost-reply.ts'
import { passPiece } from './pieces.ts'
import type { Carried, Replica } from './replica.ts'
import type { ReplicaSet, Waiter } from './replica-set.ts'
import { isRead, isSafeToRepeat, type Kind, kindOf, type Resend, whereToAsk } from './retry.ts'
import { breakOff, isStream, StreamOverError, type Streams } from './streams.ts'
import { isToBeBrokenOff, UNRESPONSIVE_GIVE_UP_MS, UnresponsiveError } from './unresponsive.ts'
import { stopping, WaitOverError, withoutWait } from './waits.ts'

/** How often one request is sent at most: a bound for replicas that say they are ready and break every connection. */
const SENDS_MAX = 10

export type ExchangeOptions = {
  readonly timeoutMs: number
  readonly waitMs: number
  /** Whether the gateway is stopping, so that clients are to connect anew. */
  readonly isDraining: () => boolean
  readonly streams: Streams
  readonly resent: (service: string, reason: Resend) => void
  readonly crashPoints?: CrashPoints | undefined
  readonly log: Logger
}

export class Exchange implements Dispatcher.DispatchHandler, Waiter, Carried {
  readonly kind: Kind
  place = 0
  readonly #options: ExchangeOptions
  readonly #service: ReplicaSet
  readonly #response: ServerResponse
  readonly #passed: Passed
  readonly #message: Dispatcher.DispatchOptions
  readonly #startedAtMs = performance.now()
  #replica: Replica | undefined
  /** This sending has reached a connection: by this it can be broken off. */
  #controller: Dispatcher.DispatchController | undefined
  /** What comes of this sending, if its reply is not passed on. */
  #instead: 'repeat' | 'give up' | 'end' | undefined
  /** Some sending may have begun to take effect. */
  #mayHaveBegun = false
  /** A reply is being passed on. */
  #replying = false
  #sends = 0
  /** How much longer it may wait. */
  #waitLeftMs: number
  #waitingSinceMs = 0
  #lastResort = false
  #timer: NodeJS.Timeout | undefined
  #clientWatch: ClientWatch | undefined

  constructor(
    options: ExchangeOptions,
    service: ReplicaSet,
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    passed: Passed,
    body: Buffer | null,
  ) {
    this.#options = options
    this.#waitLeftMs = options.waitMs
    this.#service = service
    this.#response = response
    this.#passed = passed
    this.#message = { method: request.method ?? 'GET', path, headers: passed.headers, body }
    this.kind = kindOf(this.#message.method, this.#message.path, body !== null)
    if (this.kind === 'long') whenGone(response, () => breakOff(this.#controller))
  }

  /** Sends it to a ready replica, or lets it wait for one. */
  send(): void {
    if (this.#response.destroyed) return
    const replica = this.#service.pick(this)
    if (replica === undefined) this.#wait()
    else this.#sendTo(replica)
  }

  /** A replica has become ready. */
  proceed(): void {
    clearTimeout(this.#timer)
    this.#waitLeftMs -= performance.now() - this.#waitingSinceMs
    if (this.#clientWatch?.stop())
      this.#clientWatch.probe((error) => {
        if (!error) this.send()
      })
    else this.send()
  }

  #sendTo(replica: Replica): void {
    if (this.#sends > 0) this.#message.headersTimeout = Math.max(1, this.#timeLeftMs())
    this.#replica = replica
    this.#controller = undefined
    this.#instead = undefined
    this.#sends += 1
    replica.take(this)
    this.#options.crashPoints?.pass(`gateway.forward-${this.#service.name}.before`)
    replica.pools.of(this).dispatch(this.#message, this)
  }

  #timeLeftMs(): number {
    return Math.ceil(this.#startedAtMs + this.#options.timeoutMs - performance.now())
  }

  #wait(): void {
    if (this.#waitLeftMs <= 0) return this.#resort()
    if (!this.#service.wait(this)) return this.#turnAway()
    this.#waitingSinceMs = performance.now()
    this.#clientWatch ??= new ClientWatch(this.#response)
    this.#clientWatch.start()
    this.#timer = setTimeout(() => {
      this.#service.leave(this)
      this.#clientWatch?.stop()
      this.#waitLeftMs = 0
      this.#resort()
    }, this.#waitLeftMs)
  }

  /** The wait is over: any replica that can be reached may tell what is wrong. */
  #resort(): void {
    if (this.#response.destroyed) return
    const replica = this.#lastResort ? undefined : this.#service.pickReachable(this)
    this.#lastResort = true
    if (replica !== undefined) this.#sendTo(replica)
    else if (this.#service.isReady) this.#turnAway()
    else this.#giveUp()
  }

  /** There is no room for it: that is why nothing was done, unless it was begun before. */
  #turnAway(): void {
    if (this.#mayHaveBegun) this.#giveUp()
    else this.#answer(tooManyWaiting(this.#service.name))
  }

  #repeat(reason: Resend): void {
    this.#options.resent(this.#service.name, reason)
    if (this.#sends >= SENDS_MAX) this.#giveUp()
    else this.send()
  }

  #giveUp(): void {
    const { name } = this.#service
    this.#answer(this.#mayHaveBegun ? outcomeUnknown(name) : noReplica(name, this.#options.waitMs))
  }

  #answer(document: Problem): void {
    if (this.#response.destroyed) return
    if (this.#options.isDraining()) this.#response.shouldKeepAlive = false
    const where = this.#mayHaveBegun ? whereToAsk(this.#message.method, this.#message.path) : undefined
    sendProblem(this.#response, document, this.#passed.requestId, where, this.#passed.traceId)
  }

  /** The replica has one request less: this one. */
  #left(replica: Replica): void {
    this.#replica = undefined
    this.#service.relieved(replica, this)
  }

  /** The replica it was last sent to, and is at. */
  #at(): Replica {
    return this.#replica ?? impossible('exchange-not-sent')
  }

  replicaUnresponsive(unresponsiveMs: number): void {
    if (this.#controller === undefined || this.#replying) return
    if (isToBeBrokenOff(unresponsiveMs, this.#isSafeToRepeat() && this.#service.isOfUse))
      this.#controller.abort(new UnresponsiveError(unresponsiveMs))
  }

  hurry(): void {
    if (this.#controller === undefined || this.#replying || this.#instead !== undefined || !this.#isSafeToRepeat())
      return
    const headers = withoutWait(this.#passed.headers)
    if (headers === undefined && this.kind !== 'long') return
    if (headers !== undefined) this.#message.headers = headers
    this.#instead = headers === undefined ? 'end' : 'repeat'
    this.#mayHaveBegun = true
    this.#controller.abort(new WaitOverError('the gateway stops'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.kind === 'long' && this.#response.destroyed) breakOff(controller)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || isReplyLost(this.#options.crashPoints, this.#service.name, controller)) return
    this.#at().answered()
    if (status === 503 && headers[NOT_STARTED_HEADER] !== undefined) {
      this.#instead = 'repeat'
      this.#at().turnedAway()
      return
    }
    if (status === 503 && this.#mayHaveBegun && !isRead(this.#message.method)) {
      this.#instead = 'give up'
      return
    }
    const response = this.#response
    this.#replying = true
    if (isStream(headers)) this.#options.streams.add(response, controller, this.#passed)
    if (response.destroyed) return
    if (this.#options.isDraining()) response.shouldKeepAlive = false
    response.writeHead(status, passResponse(headers, this.#passed.requestId))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const response = this.#response
    if (this.#instead !== undefined || response.destroyed || response.writableEnded) return
    passPiece(response, controller, chunk)
  }

  onResponseEnd(): void {
    this.#left(this.#at())
    if (this.#instead === undefined) this.#response.end()
    else this.#doInstead()
  }

  #doInstead(): void {
    if (this.#instead === 'repeat') this.#repeat('turned-away')
    else if (this.#instead === 'end') this.#answer(stopping())
    else this.#giveUp()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    const replica = this.#at()
    if (error instanceof StreamOverError) return this.#left(replica)
    const isSent = this.#controller !== undefined
    const isLate = isSent && error.code === 'UND_ERR_HEADERS_TIMEOUT'
    const isUnresponsive = error instanceof UnresponsiveError
    const isUnframeable = error.code === 'UND_ERR_INVALID_ARG'
    if (!isLate && !isUnresponsive && !isUnframeable && this.#instead === undefined) replica.failed(error)
    this.#left(replica)

    if (this.#replying) {
      this.#options.log.warn({ err: error, ...this.#about(replica) }, 'a reply broke off')
      return void this.#response.destroy()
    }
    if (isUnframeable) return this.#answer(unframeable(error.message))
    if (this.#instead !== undefined) return this.#doInstead()
    if (!isSent) return this.#repeat('not-sent')
    this.#mayHaveBegun = true
    if (isLate || (isUnresponsive && error.isHopeless)) {
      this.#options.log.warn(this.#about(replica), 'no reply in time')
      return this.#answer(
        noReplyInTime(this.#service.name, isUnresponsive ? UNRESPONSIVE_GIVE_UP_MS : this.#options.timeoutMs),
      )
    }
    if (this.#isSafeToRepeat()) return this.#repeat('broken')
    this.#options.log.warn({ err: error, ...this.#about(replica) }, 'outcome unknown')
    this.#giveUp()
  }

  #isSafeToRepeat(): boolean {
    return isSafeToRepeat(this.#message.method, this.#message.path, this.#passed)
  }

  #about(replica: Replica): Record<string, unknown> {
    const { method, path } = this.#message
    const { requestId, traceId: trace_id } = this.#passed
    return { requestId, trace_id, origin: replica.origin, method, path }
  }
}
