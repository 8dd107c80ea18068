/** Which problems may any service answer, whatever it is about? */
import { etagOf } from './etag.ts'
import { problemKind } from './problem.ts'

export const malformed = problemKind(400, 'malformed', 'The request is malformed', (field: string, detail: string) => ({
  detail,
  field,
}))

export const unauthorised = problemKind(401, 'unauthorised', 'A token is wanted', (token: string) => ({
  detail: `send "Authorization: Bearer <${token}>"`,
}))

export const forbidden = problemKind(403, 'forbidden', 'This is not the operator token', () => ({
  detail: 'the bearer token is not the one this shop was started with',
}))

export const insufficientScope = problemKind(
  403,
  'insufficient-scope',
  'The token does not allow this',
  (wanted: string) => ({ detail: `this wants the scope "${wanted}"`, scope: wanted }),
)

/** A client that asks past the gateway was verified by nobody. */
export const pastTheGateway = problemKind(403, 'past-the-gateway', 'The gateway is to be asked', () => ({
  detail: 'this service listens to its gateway and its peers only, by the GATEWAY_SECRET that all of them must share',
}))

/** @param meant a path that there is, and that differs only in case or by a slash at the end */
export const noSuchRoute = problemKind(
  404,
  'no-such-route',
  'No such route',
  (service: string, path: string, meant?: string) => ({
    detail: `${service} has no ${path}; ${meant === undefined ? '/docs of the gateway shows what there is' : `ask for ${meant}`}`,
  }),
)

export const metricsOff = problemKind(404, 'metrics-off', 'No metrics', () => ({
  detail: 'this process measures nothing: it was started with METRICS=no',
}))

export const methodNotAllowed = problemKind(
  405,
  'method-not-allowed',
  'Method not allowed',
  (path: string, allowed: string) => ({ detail: `${path} takes ${allowed}` }),
)

/** Something that is to be made anew is in use: `made` were made anew before that, from 0 on. */
export const inUse = problemKind(409, 'in-use', 'In use', (what: string, made: number) => ({
  detail:
    `"${what}" is in use by something unfinished; ` +
    (made === 0
      ? 'nothing was done'
      : `0 to ${made - 1} were made anew, the others were not; under its Idempotency-Key the same request goes on there`),
  made,
}))

/** Another change came between: `version` is the present one. */
export const stale = problemKind(412, 'stale', 'It was changed meanwhile', (version: number) => ({
  detail: `its version is ${version}: look at it again before you change it`,
  version,
}))

/** The answer to a client that named another version than that of now, whose tag it is told. */
export const staleAnswer = (version: number) => ({ problem: stale(version), headers: { ETag: etagOf(version) } })

/** A command has come that bears a higher token: `newest` is the highest. */
export const staleLockToken = problemKind(
  412,
  'stale-lock-token',
  'Somebody else has come to hold the lock',
  (newest: number) => ({
    detail: `a request with the token ${newest} came before: the lease of this one has ended; nothing was done`,
    newest,
  }),
)

export const bodyTooLarge = problemKind(413, 'body-too-large', 'The body is too large', (maxBytes: number) => ({
  detail: `a body may have at most ${maxBytes} bytes`,
}))

export const unsupportedMediaType = problemKind(
  415,
  'unsupported-media-type',
  'The body has a type that is not taken here',
  (types: readonly string[]) => ({ detail: `send it, not compressed, as ${types.join(' or ')}` }),
)

export const malformedBody = problemKind(
  422,
  'malformed-body',
  'The body is malformed',
  (field: string, detail: string) => ({ detail, field }),
)

/** A client may name such a thing as it likes, within limits. */
export const invalidName = problemKind(
  422,
  'invalid-name',
  'Nothing may be named so',
  (field: string, detail: string) => ({ detail, field }),
)

export const preconditionRequired = problemKind(428, 'precondition-required', 'A precondition is wanted', () => ({
  detail: 'send the ETag of what is to be changed as "If-Match", so that no other change is overwritten unseen',
}))

export const keyReused = problemKind(
  422,
  'idempotency-key-reused',
  'Idempotency-Key was used for another request',
  () => ({ detail: 'send this request under a key of its own' }),
)

/** A peer had to be asked first, and gives no answer. */
export const peerUnavailable = problemKind(
  424,
  'neighbour-unavailable',
  'A service that had to be asked does not answer',
  (detail: string) => ({ detail: `${detail}; nothing was done` }),
)

export const internal = problemKind(500, 'internal', 'The service failed', (advice: string) => ({
  detail: `this is a fault of the service; it was logged; ${advice}`,
}))

export const notDone = problemKind(503, 'not-done', 'Nothing was done', (detail: string) => ({
  detail: `${detail}; nothing was done, send it again later`,
}))

export const unavailable = problemKind(503, 'unavailable', 'The outcome cannot be known now', (detail: string) => ({
  detail,
}))

/** An operator has switched it off. */
export const featureOff = problemKind(503, 'feature-off', 'This is switched off', (feature: string) => ({
  detail: `"${feature}" is switched off; nothing was done`,
  feature,
}))

/** Of what would take more memory than the Redis of the shop have left for it. */
export const noRoom = problemKind(503, 'no-room', 'There is no room for more now', () => ({
  detail: 'a Redis of the shop is nearly full; nothing was done, send it again later',
}))

export const draining = problemKind(503, 'draining', 'This replica is stopping', () => ({
  detail: 'nothing was done; send the request again',
}))
