/**
 * Files that are made of what the code does, and kept so that a change of it is seen. With `UPDATE=1` they are written anew
 * instead of compared; the difference is to be reviewed like code.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import type { ExecutionContext } from 'ava'

/** Holds a file against the text that it should have. */
export const holdFile = (t: ExecutionContext, file: URL, text: string): void => {
  if (process.env.UPDATE === '1') writeFileSync(file, text)
  t.is(text, readFileSync(file, 'utf8'))
}
