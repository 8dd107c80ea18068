/** A row that changes a thing which has versions: on what condition it is done, and what is answered. */
import test from 'ava'
import * as v from 'valibot'
import { identifier } from '../../../shared/contract/fields.ts'
import { MalformedError } from '../../../shared/errors.ts'
import type { Answer } from '../../../shared/http/answer.ts'
import { etagOf } from '../../../shared/http/etag.ts'
import { preconditionRequired, stale } from '../../../shared/http/problems.ts'
import { queryIn } from '../../../shared/http/query.ts'
import { problemsOf, type Rows, routes } from '../../../shared/http/route.ts'

/** What is the same of those that look at no version. */
const unversioned = {
  params: { cup: identifier },
  answers: { 204: { empty: true } },
  problems: [],
  repeatable: 'as-it-is',
  scope: 'merchant',
} as const

const api = {
  paint: {
    method: 'PATCH',
    path: '/cups/{cup}',
    summary: 'Paints a cup',
    params: { cup: identifier },
    answers: { 200: { json: v.object({ cup: v.string(), version: v.number() }) }, 204: { empty: true } },
    ifMatch: 'required',
    problems: [stale],
    repeatable: 'under-a-key',
    scope: 'merchant',
  },
  breakCup: {
    method: 'DELETE',
    path: '/cups/{cup}',
    summary: 'Breaks a cup',
    params: { cup: identifier },
    answers: { 204: { empty: true } },
    ifMatch: 'optional',
    problems: [stale],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  washCup: {
    method: 'POST',
    path: '/cups/{cup}/wash',
    summary: 'Washes a cup',
    ...unversioned,
  },
  findCup: {
    method: 'GET',
    path: '/cups/{cup}',
    summary: 'Finds a cup',
    ...unversioned,
  },
} as const satisfies Rows

type Asked = { readonly answer: Answer; readonly fingerprint: string | undefined }

/** Asks for something to be done to a cup of version 3. @returns the answer, and by what the request is compared under a key. */
const ask = async (at: number, headers: Readonly<Record<string, string>>): Promise<Asked> => {
  let asked: string | undefined
  const route = routes(api, {
    paint: async ({ params: { cup }, ifMatch, fingerprint }) => {
      asked = fingerprint
      if (ifMatch !== 'any' && !ifMatch.includes(3)) return { problem: stale(3) }
      return { json: { cup, version: 4 }, headers: { ETag: etagOf(4) } }
    },
    breakCup: async ({ ifMatch, fingerprint }) => {
      asked = fingerprint
      return ifMatch === 'any' || ifMatch.includes(3) ? { empty: 204 } : { problem: stale(3) }
    },
    washCup: async () => ({ empty: 204 }),
    findCup: async () => ({ empty: 204 }),
  })[at]
  if (route === undefined) throw new Error('there is no such route')
  const answer = await route.handler({
    parameter: () => 'red',
    query: queryIn(''),
    body: undefined,
    header: (name) => headers[name],
    fingerprint: 'CHANGE /cups/red',
    idempotencyKey: 'a-key',
    caller: undefined,
    lockToken: undefined,
    authorization: undefined,
    requestId: undefined,
    isGone: () => false,
    closing: new AbortController().signal,
  })
  return { answer, fingerprint: asked }
}
const paint = (headers: Readonly<Record<string, string>>): Promise<Asked> => ask(0, headers)
const breakCup = (headers: Readonly<Record<string, string>>): Promise<Asked> => ask(1, headers)
const washCup = (headers: Readonly<Record<string, string>>): Promise<Asked> => ask(2, headers)
const findCup = (headers: Readonly<Record<string, string>>): Promise<Asked> => ask(3, headers)

const DONE = { empty: 204, headers: { ETag: '"4"' } }

test('it is done on a condition only: that the version is one which the client has seen', async (t) => {
  for (const none of [{}, { 'if-match': '' }])
    t.deepEqual(await paint(none), { answer: { problem: preconditionRequired() }, fingerprint: undefined })
  for (const seen of ['"2"', 'W/"3"', '"2", "4"'])
    t.deepEqual((await paint({ 'if-match': seen })).answer, { problem: stale(3) }, seen)
  for (const seen of ['"3"', '"2", "3"', '*']) t.deepEqual((await paint({ 'if-match': seen })).answer, DONE, seen)
})

test('where it may be done without a condition, one that is given is held', async (t) => {
  t.deepEqual(await breakCup({}), { answer: { empty: 204 }, fingerprint: 'CHANGE /cups/red' })
  t.deepEqual(await breakCup({ 'if-match': '"3"' }), { answer: { empty: 204 }, fingerprint: 'CHANGE /cups/red from 3' })
  t.deepEqual((await breakCup({ 'if-match': '"2"' })).answer, { problem: stale(3) })
  for (const none of ['3', ''])
    await t.throwsAsync(breakCup({ 'if-match': none }), { instanceOf: MalformedError }, none)
})

test('where no version is looked at, none is taken', async (t) => {
  for (const seen of ['"3"', '3', '']) {
    const error = await t.throwsAsync(washCup({ 'if-match': seen }), { instanceOf: MalformedError }, seen)
    t.is(error?.field, 'If-Match')
    t.deepEqual((await findCup({ 'if-match': seen })).answer, { empty: 204 })
  }
  for (const any of [{}, { 'if-match': '*' }]) t.deepEqual((await washCup(any)).answer, { empty: 204 })
})

test('a condition that is no version ever shown is malformed', async (t) => {
  for (const seen of ['3', '"red"', '"3", "red"', '"3" "4"', '"0"']) {
    const error = await t.throwsAsync(paint({ 'if-match': seen }), { instanceOf: MalformedError }, seen)
    t.deepEqual([error?.field, error?.message], ['If-Match', '"If-Match" must be an ETag that was shown, or "*"'])
  }
})

test('a request on another condition is another request', async (t) => {
  const fingerprintOn = async (seen: string) => (await paint({ 'if-match': seen })).fingerprint
  const all = [
    await fingerprintOn('"3"'),
    await fingerprintOn('"4"'),
    await fingerprintOn('"3", "4"'),
    await fingerprintOn('*'),
  ]
  t.is(new Set(all).size, all.length)
  t.is(await fingerprintOn(' "3",'), all[0])
})

test('a client is shown what it has changed if it prefers that, and else is told that it is done', async (t) => {
  const shown = {
    json: { cup: 'red', version: 4 },
    headers: { ETag: '"4"', 'Preference-Applied': 'return=representation' },
  }
  for (const prefer of [
    'return=representation',
    'Return = "representation"; x=1, wait=5',
    'wait=5,return=representation',
  ])
    t.deepEqual((await paint({ 'if-match': '"3"', prefer })).answer, shown, prefer)
  for (const prefer of ['return=minimal', 'no-return=representation', 'return=representations', 'return', 'x="y"'])
    t.deepEqual((await paint({ 'if-match': '"3"', prefer })).answer, DONE, prefer)
  t.deepEqual((await paint({ 'if-match': '"2"', prefer: 'return=representation' })).answer, { problem: stale(3) })
})

test('its row lists that the condition may be missing', (t) => {
  t.true(problemsOf(api.paint).includes(preconditionRequired))
  const { ifMatch: _, ...unconditional } = api.paint
  t.false(problemsOf(unconditional).includes(preconditionRequired))
  t.false(problemsOf(api.breakCup).includes(preconditionRequired))
})
