/**
 * What is a route, as data?
 *
 * A *row* says how a route is asked and what it answers. A service has its rows by name in `api.ts` and one handler for each name
 * in `routes.ts`. From the row follow how a request is read, body included, in what words it is refused, and what the handler may
 * answer: a row without a handler, a handler without a row, and an answer that the row does not list are errors of the compiler.
 */
import * as v from 'valibot'
import { nameField } from '../contract/fields.ts'
import { InvalidNameError, MalformedError } from '../errors.ts'
import type { Answer } from './answer.ts'
import { type Body, fieldsReader } from './body.ts'
import type { Scope } from './caller.ts'
import { type WantedVersions, wantedVersions } from './etag.ts'
import type { EventStream } from './event-stream.ts'
import { refuseLockToken } from './lock-token.ts'
import { prefersRepresentation } from './prefer.ts'
import type { Problem, ProblemKind } from './problem.ts'
import {
  bodyTooLarge,
  featureOff,
  forbidden,
  insufficientScope,
  internal,
  invalidName,
  malformed,
  malformedBody,
  noRoom,
  notDone,
  preconditionRequired,
  staleLockToken,
  unauthorised,
  unavailable,
  unsupportedMediaType,
} from './problems.ts'
import { faultOfQuery } from './query.ts'
import type { Request } from './request.ts'

/** Reads a field from its text; what it says of a text that it does not take is what the field must, in words. */
type Field = v.GenericSchema<string, unknown> | v.GenericSchema<string | undefined, unknown>
export type Fields = Readonly<Record<string, Field>>

/** Events are said in words. */
type Content = { readonly text: string } | { readonly json: v.GenericSchema } | { readonly events: string }

export type Row = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its parameters in braces: `/orders/find/{order}`. */
  readonly path: string
  readonly summary: string
  /**
   * The parameters of the path, of the query, and the headers that concern it, in lower case. More headers are not read, and more
   * in the query is refused.
   */
  readonly params?: Fields
  readonly query?: Fields
  readonly headers?: Fields
  /** The body, if it takes one. */
  readonly body?: Body
  /**
   * What a success answers, by its status: a text, in words, or a JSON value. 201 tells where what was made is found (`Location`); 202
   * that it will be done, and where to ask what became of it; 204 is answered instead of 200 if the client does not prefer to be
   * shown what it has changed, or where there is nothing to be shown. A handler that says 200 itself shows it in any case.
   */
  readonly answers:
    | { readonly 200: Content; readonly 201?: Content; readonly 202?: Content; readonly 204?: { readonly empty: true } }
    | { readonly 201: Content; readonly 202?: Content; readonly 204?: never }
    | { readonly 204: { readonly empty: true }; readonly 202?: Content }
  /**
   * Must the client say from which version it changes a thing, or may it? An empty `If-Match` names none: then it is not done. Where it may
   * not, a version would not be looked at, and a request that names one is refused.
   */
  readonly ifMatch?: 'required' | 'optional'
  /**
   * Does it take the token of a lock (`If-Lock-Token`), which its command compares with those that the thing has seen? It has a
   * parameter of the thing's name. One that changes something and does not refuses a request with one.
   */
  readonly fenced?: true
  /** What it may refuse, besides what every route may: see `problemsOf`. */
  readonly problems: readonly ProblemKind[]
  /** Does it end what there is, or give it back? Then it is done also where there is no room for anything new. */
  readonly endsThings?: true
  /** Does it pass on, as it is, what a peer refuses that is asked on the client's behalf? */
  readonly passesOn?: true
  /** Clients of older back ends read in the member `error` of a problem what was refused: in a sentence, or in a word. */
  readonly error?: 'sentence' | 'word'
  /** How a request that may have been done can be sent again: as it is, or under an `Idempotency-Key` only. */
  readonly repeatable: 'as-it-is' | 'under-a-key'
  /** Who may ask it at least; while clients need not say who they are, anybody but what operators have is for. */
  readonly scope: Scope
  /** The path that shows what this one changes, with parameters of the same names: there a client sees whether it was done. */
  readonly shownAt?: string
}

export type Rows = Readonly<Record<string, Row>>

type Read<F extends Fields> = { readonly [Name in keyof F]: v.InferOutput<F[Name]> }

/** What a handler is given: the request, and what the row reads from it. */
export type Given<R extends Row> = Omit<Request, 'parameter' | 'query' | 'body' | 'header'> & {
  readonly headers: R extends { readonly headers: infer F extends Fields } ? Read<F> : unknown
  readonly params: R extends { readonly params: infer F extends Fields } ? Read<F> : unknown
  readonly query: R extends { readonly query: infer F extends Fields } ? Read<F> : unknown
  readonly body: R extends { readonly body: { readonly fields: infer Schema extends v.GenericSchema } }
    ? v.InferOutput<Schema>
    : unknown
  readonly ifMatch: R extends { readonly ifMatch: string } ? WantedVersions : unknown
  /** Does the client prefer to be shown what it has changed? Only where it need not be. */
  readonly isShown: boolean
}

type Plain = string | number | boolean | null | undefined
type Frozen<T> = T extends Plain ? T : { readonly [Name in keyof T]: Frozen<T[Name]> }
type NameOf<Kind> = Kind extends ProblemKind<infer Name> ? Name : never

type Told<C> = C extends { readonly json: infer Schema extends v.GenericSchema }
  ? { readonly json: Frozen<v.InferOutput<Schema>> }
  : C extends { readonly events: string }
    ? { readonly events: (stream: EventStream) => void }
    : { readonly text: string }
type Success<R extends Row> = R['answers'] extends { readonly 200: infer C }
  ? Told<C> | Created<R>
  : R['answers'] extends { readonly 204: unknown }
    ? { readonly empty: 204 }
    : Created<R>
type Created<R extends Row> = R['answers'] extends { readonly 201: infer C }
  ? Told<C> & { readonly status: 201; readonly headers: { readonly Location: string } }
  : never
type Accepted<R extends Row> = R['answers'] extends { readonly 202: infer C }
  ? Told<C> & { readonly status: 202; readonly headers: { readonly Location: string } }
  : never
/** A body may be refused for what its fields say together with what is known of them. */
type OfBody<R extends Row> = R extends { readonly body: Body } ? NameOf<typeof malformedBody> : never
type Refusal<R extends Row> = R extends { readonly passesOn: true }
  ? Problem
  : Problem<NameOf<R['problems'][number]> | OfBody<R>>

/** What a handler may answer: what its row lists. */
export type AnswerTo<R extends Row> = Answer & (Success<R> | Accepted<R> | { readonly problem: Refusal<R> })

export type Handler<R extends Row> = (request: Given<R>) => Promise<AnswerTo<R>>
/** One handler for each row. */
export type Handlers<R extends Rows> = { readonly [Name in keyof R]: Handler<R[Name]> }

/** A route as the server takes it, with its parameters behind colons: `/orders/find/:order`. */
export type Route = Pick<Row, 'method' | 'path' | 'body' | 'shownAt' | 'scope' | 'error' | 'endsThings'> & {
  /** By which name it can be switched off, if it can. */
  readonly feature?: string
  readonly handler: (request: Request) => Promise<Answer>
}

/** Whether it is a client's who begins something new, for which there may be no room. What is there may be changed and given up. */
export const takesRoom = ({ method, scope, endsThings }: Pick<Row, 'method' | 'scope' | 'endsThings'>): boolean =>
  scope !== 'operator' && scope !== 'service' && (method === 'POST' || method === 'PUT') && endsThings !== true

/** All kinds of problems with which a route may answer while its service is open. */
export const problemsOf = (row: Row): readonly ProblemKind[] => {
  const { problems, params = {}, body, ifMatch, fenced, scope } = row
  return [
    ...problems,
    malformed,
    ...(Object.values(params).some((field) => nameField(field) !== undefined) ? [invalidName] : []),
    ...(body ? [bodyTooLarge, unsupportedMediaType, malformedBody] : []),
    ...(ifMatch === 'required' ? [preconditionRequired] : []),
    ...(fenced ? [staleLockToken] : []),
    notDone,
    unavailable,
    internal,
    ...(scope === 'operator' ? [forbidden] : [featureOff]),
    ...(takesRoom(row) ? [noRoom] : []),
    ...(scope === 'anybody' ? [] : [unauthorised, insufficientScope]),
  ]
}

type Reader = (textOf: (name: string) => string | undefined) => Readonly<Record<string, unknown>>

const refuseField = (name: string, field: Field, must: string): never => {
  const called = nameField(field)
  if (called === undefined) throw new MalformedError(name, `"${name}" must ${must}`)
  throw new InvalidNameError(called, `"${called}" must ${must}`)
}

/** The reader of these fields. @throws MalformedError or InvalidNameError, naming the field that is not as it must be */
const readerOf = (fields: Fields): Reader => {
  const each = Object.entries(fields)
  return (textOf) => {
    const values: Record<string, unknown> = {}
    for (const [name, field] of each) {
      const text = textOf(name)
      const result = v.safeParse(field, text)
      if (result.success) values[name] = result.output
      else refuseField(name, field, text === undefined ? 'be given' : result.issues[0].message)
    }
    return values
  }
}

const colons = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

/** The versions that `If-Match` names. @throws MalformedError if it names none that could have been shown */
const versionsIn = (ifMatch: string): WantedVersions => {
  const versions = wantedVersions(ifMatch)
  if (versions === undefined) throw new MalformedError('If-Match', '"If-Match" must be an ETag that was shown, or "*"')
  return versions
}

/** Refuses a version that nobody looks at: who names it believes that a thing is changed from there only. @throws MalformedError */
const refuseVersion = (ifMatch: string): undefined => {
  if (ifMatch === '*') return undefined
  throw new MalformedError('If-Match', '"If-Match" is not taken here: this is done from whichever version')
}

/** What a client is answered that may not want to be shown what it has changed. */
const asPreferred = (answers: Row['answers'], isShown: boolean, answer: Answer): Answer => {
  if (!answers[204] || !('json' in answer) || answer.status !== undefined) return answer
  const { headers = {} } = answer
  return isShown
    ? { ...answer, headers: { ...headers, 'Preference-Applied': 'return=representation' } }
    : { empty: 204, headers }
}

const route = <R extends Row>(name: string, row: R, handler: Handler<R>): Route => {
  const { method, path, params = {}, query = {}, headers = {}, body } = row
  const { answers, ifMatch, fenced, shownAt, scope, error, endsThings } = row
  const takesLockToken = fenced === true || method === 'GET'
  const readParams = readerOf(params)
  const readQuery = readerOf(query)
  const inQuery = Object.keys(query)
  const readHeaders = readerOf(headers)
  const readFields = body && fieldsReader(body)
  const readVersions = ifMatch ? versionsIn : refuseVersion
  return {
    method,
    path: colons(path),
    scope,
    ...(shownAt === undefined ? {} : { shownAt: colons(shownAt) }),
    ...(scope === 'operator' ? {} : { feature: name }),
    ...(error ? { error } : {}),
    ...(endsThings ? { endsThings } : {}),
    ...(body ? { body } : {}),
    handler: async (request) => {
      const { parameter, query: queried, body: sent, header } = request
      if (request.lockToken !== undefined && !takesLockToken) return refuseLockToken()
      const fault = faultOfQuery(queried, inQuery)
      if (fault) return { problem: fault }
      const asked = (name: string) => queried.get(name) ?? undefined
      // Of those an empty one is none.
      const headed = (name: string) => header(name) || undefined
      const read = { params: readParams(parameter), query: readQuery(asked), headers: readHeaders(headed) }
      const condition = method === 'GET' ? undefined : header('if-match')
      if (ifMatch === 'required' && !condition) return { problem: preconditionRequired() }
      const versions = condition === undefined ? undefined : readVersions(condition)
      const found = readFields ? readFields(sent) : { fields: undefined }
      if ('problem' in found) return found
      const fingerprint = versions ? `${request.fingerprint} from ${versions}` : request.fingerprint
      const isShown = answers[204] !== undefined && prefersRepresentation(header('prefer'))
      // Read by the row's own fields, it is what `Given` says of them.
      const given: object = {
        ...request,
        ...read,
        fingerprint,
        body: found.fields,
        ifMatch: versions ?? 'any',
        isShown,
      }
      return asPreferred(answers, isShown, await handler(given as Given<R>))
    },
  }
}

/** The routes of these rows, each with its handler. */
export const routes = <const R extends Rows>(rows: R, handlers: Handlers<NoInfer<R>>): readonly Route[] => {
  const made: Route[] = []
  for (const name in rows) made.push(route(name, rows[name], handlers[name]))
  return made
}
