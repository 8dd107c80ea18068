/** What is said of a verb that was tried more than once. */
import test from 'ava'
import { openHolding } from '../../../ids/lock/holding.ts'
import { PLAIN, type Waiting } from '../../../ids/lock/lease.ts'
import { persistently } from '../../../ids/lock/sound.ts'
import { UnavailableError } from '../../../shared/errors.ts'

const notSent = new UnavailableError('it was not sent', { nothingDone: true })
const noAnswer = new UnavailableError('it got no answer')

/** What comes of a verb whose tries fail so, one after the other; the last of them again and again. */
const failing = async (...errors: readonly Error[]): Promise<UnavailableError> => {
  let tries = 0
  const verb = persistently(async (command) => {
    tries += 1
    throw errors[tries - 1] ?? errors.at(-1) ?? new Error(`${command}`)
  })
  const error = await verb(async () => ['done'] as const).catch((thrown: unknown) => thrown)
  if (error instanceof UnavailableError) return error
  throw error
}

test('nothing was done only if no try may have done it', async (t) => {
  t.is((await failing(notSent)).nothingDone, true)
  for (const errors of [[noAnswer, notSent], [notSent, noAnswer, notSent], [noAnswer]])
    t.is((await failing(...errors)).nothingDone, false, errors.map(({ message }) => message).join())
})

test('of a request that has a place in the queue it is not said that nothing was done', async (t) => {
  const waiting = { state: 'waiting', lease: 'mine' } as Waiting
  let asked = 0
  const asks = async (): Promise<Waiting> => {
    asked += 1
    if (asked === 1) return waiting
    throw notSent
  }
  const waits = { watch: () => ({ next: async () => undefined, end: () => undefined }) }
  const holding = openHolding({ acquire: asks, ask: asks }, waits)
  const client = { closing: new AbortController().signal, isGone: () => false }
  const error = await t.throwsAsync(holding.acquire('bill', 'mine', { ...PLAIN, waitMs: 1_000 }, client), {
    instanceOf: UnavailableError,
  })
  t.is(error.nothingDone, false)
})
