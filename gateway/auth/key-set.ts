/**
 * By which keys are tokens verified?
 *
 * They are given once and for all (`AUTH_JWKS`), or the issuer shows them (`AUTH_JWKS_URL`). Then they are fetched at the start,
 * and again every ten minutes or when a token names another one, but not within ten seconds after that, whatever tokens name.
 * While the issuer is away, the keys that it has shown hold on, for an hour; without any, nothing can be said of a token.
 */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Logger } from 'pino'
import { codeOf, messageOf } from '../../shared/errors.ts'
import type { Step } from '../../shared/process/step.ts'
import { KeysAwayError } from './token.ts'

const REFRESH_MS = 600_000
const COOL_DOWN_MS = 10_000
/** After a failure it is asked no more for so long, and asked again by itself after as long. */
const RETRY_MS = 1_000
const TIMEOUT_MS = 3_000
const STALE_MAX_MS = 3_600_000

export type KeySet = {
  readonly keyOf: JWTVerifyGetKey
  readonly stop: () => void
}

export type RemoteOptions = {
  readonly url: URL
  readonly step: Step
  /** Told when other keys hold than before. */
  readonly onChange: () => void
  readonly log: Logger
  /** For tests. */
  readonly refreshMs?: number
  readonly coolDownMs?: number
  readonly retryMs?: number
  readonly staleMaxMs?: number
}

/** What a token is to blame for itself. */
const OF_THE_TOKEN: readonly (string | undefined)[] = [
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JOSE_NOT_SUPPORTED',
]

const isPublic = (key: unknown): boolean => {
  const { kty, d } = Object(key) as { readonly kty?: unknown; readonly d?: unknown }
  return kty !== 'oct' && d === undefined
}

/** Whether a token could be signed by the other half of this key. */
const isOfTokens = (key: unknown): boolean => {
  const { kty, use = 'sig' } = Object(key) as { readonly kty?: unknown; readonly use?: unknown }
  return (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && use === 'sig'
}

/** @throws Error if there are no keys to verify tokens by, or one of them is to be kept secret */
export const givenKeys = (text: string): KeySet => {
  const keys = JSON.parse(text) as JSONWebKeySet
  const keyOf = createLocalJWKSet(keys)
  if (!keys.keys.every(isPublic)) throw new Error('it may have public keys only')
  if (!keys.keys.some(isOfTokens)) throw new Error('it has no key by which a token could be verified')
  return { keyOf, stop: () => undefined }
}

/** Asks nobody for a while after it was asked in vain; `fetched` is told of each answer. */
const coolAfterFailure = (step: Step, retryMs: number, fetched: () => void) => {
  let failedAtMs = Number.NEGATIVE_INFINITY
  return (...request: Parameters<typeof fetch>): Promise<Response> => {
    if (performance.now() - failedAtMs < retryMs) return Promise.reject(new Error('it did not answer a moment ago'))
    return step('fetch-keys', async () => {
      try {
        const response = await fetch(...request)
        if (response.status !== 200) throw new Error(`it answered ${response.status}`)
        fetched()
        return response
      } catch (error) {
        failedAtMs = performance.now()
        throw error
      }
    })
  }
}

export const remoteKeys = ({ url, step, onChange, log, ...times }: RemoteOptions): KeySet => {
  const { refreshMs = REFRESH_MS, coolDownMs = COOL_DOWN_MS, retryMs = RETRY_MS, staleMaxMs = STALE_MAX_MS } = times
  let isFetched = false
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: coolDownMs,
    cacheMaxAge: Number.POSITIVE_INFINITY, // they are fetched again below
    [customFetch]: coolAfterFailure(step, retryMs, () => {
      isFetched = true
    }),
  })
  let shown = ''
  let shownAtMs: number | undefined
  let isAway = false
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  /** Takes note of what was fetched, by the timer or for a token. */
  const look = (): void => {
    if (!isFetched) return
    isFetched = false
    shownAtMs = performance.now()
    const now = JSON.stringify(remote.jwks())
    if (now === shown) return
    if (shown !== '') log.info({ url: url.href }, 'the issuer shows other keys')
    shown = now
    onChange()
  }

  const refresh = async (): Promise<void> => {
    let nextMs = refreshMs
    try {
      await remote.reload()
      if (isAway) log.info({ url: url.href }, 'the issuer shows its keys again')
      isAway = false
      look()
    } catch (error) {
      if (!isAway) log.error({ url: url.href, why: messageOf(error) }, 'the issuer does not show its keys')
      isAway = true
      nextMs = retryMs
    }
    if (!isStopped) timer = setTimeout(() => void refresh(), nextMs).unref()
  }
  void refresh()

  return {
    keyOf: async (header, token) => {
      if (shownAtMs !== undefined && performance.now() - shownAtMs > staleMaxMs)
        throw new KeysAwayError('the issuer has not shown its keys for long')
      try {
        return await remote(header, token)
      } catch (error) {
        if (OF_THE_TOKEN.includes(codeOf(error))) throw error
        throw new KeysAwayError('the issuer does not show its keys', { cause: error })
      } finally {
        look()
      }
    },
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
