/**
 * Which tokens were verified before?
 *
 * Whatever was found out about one is kept until it ends, by a digest of the token, so that to verify one costs its first request
 * only. What is kept is bounded: the one that was not asked for longest makes room. A token that is wrong is not kept, for of
 * these there are many.
 */

export type Ending = { readonly untilMs: number }

export class Remembered<Value extends Ending> {
  readonly #most: number
  /** The one that was not asked for longest is the first. */
  readonly #byDigest = new Map<string, Value>()

  constructor(most: number) {
    this.#most = most
  }

  get count(): number {
    return this.#byDigest.size
  }

  get(digest: string, nowMs: number): Value | undefined {
    const found = this.#byDigest.get(digest)
    if (found === undefined) return undefined
    this.#byDigest.delete(digest)
    if (found.untilMs <= nowMs) return undefined
    this.#byDigest.set(digest, found)
    return found
  }

  keep(digest: string, value: Value): void {
    this.#byDigest.set(digest, value)
    if (this.#byDigest.size <= this.#most) return
    const [oldest] = this.#byDigest.keys()
    if (oldest !== undefined) this.#byDigest.delete(oldest)
  }

  forget(): void {
    this.#byDigest.clear()
  }
}
