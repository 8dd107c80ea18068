/**
 * How does a Redis come back older than it was?
 *
 * It is killed, the end of its append-only file is cut off, and it is started again: as after a disk that acknowledged what it
 * had not written, or a copy of the folder that was put back. The file is a sequence of *transactions*: one command alone, or
 * `MULTI`, what a script wrote, `EXEC`. It is cut between two of them, because Redis itself drops a torn one at its start.
 * Only what was written since the last rewrite of the file can be lost so; the tests never write so much.
 */
import { cp, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { AOF_FOLDER, appendedFile } from '../../../env/local/append-only-file.ts'

/** One transaction of the file: where it lies, and its bytes, in which `includes` finds what it wrote. */
export type Transaction = { readonly from: number; readonly to: number; readonly bytes: Buffer }

/** What is cut off: a share of the file's bytes from 0 to 1, or all that was written after a position. */
export type Cut = { readonly share: number } | { readonly position: number }

export type Lost = { readonly transactions: readonly Transaction[]; readonly bytes: number }

const LINE_END = '\r\n'

/** Reads one command, `*n` and n times `$length` and its bytes, or a line of comment. @returns its first word and its end. */
const commandAt = (file: Buffer, from: number): { word: string; to: number } | undefined => {
  const line = (at: number): { text: string; to: number } => {
    const end = file.indexOf(LINE_END, at)
    return end < 0 ? { text: '', to: file.length + 1 } : { text: file.toString('latin1', at, end), to: end + 2 }
  }
  const head = line(from)
  let { to } = head
  if (head.text.startsWith('#')) return { word: '#', to }
  let word = ''
  for (let left = Number(head.text.slice(1)); left > 0 && to < file.length; left -= 1) {
    const { text, to: start } = line(to)
    to = start + Number(text.slice(1)) + LINE_END.length
    if (word === '') word = file.toString('latin1', start, to - LINE_END.length).toUpperCase()
  }
  return to > file.length ? undefined : { word, to }
}

/** The whole transactions of a file, in order; a torn one at its end is left out. */
const parse = (file: Buffer): readonly Transaction[] => {
  const transactions: Transaction[] = []
  let from = 0
  let isOpen = false
  for (let at = 0; at < file.length; ) {
    const command = commandAt(file, at)
    if (command === undefined) break
    at = command.to
    if (command.word === 'MULTI') isOpen = true
    if (command.word === 'EXEC') isOpen = false
    if (isOpen || command.word === '#') continue
    transactions.push({ from, to: at, bytes: file.subarray(from, at) })
    from = at
  }
  return transactions
}

/** All transactions that the Redis in this folder has written, the oldest first. */
export const transactionsOf = async (dir: string): Promise<readonly Transaction[]> =>
  parse(await readFile(await appendedFile(dir)))

/** How far the file of the Redis in this folder is written now: a moment to come back to. */
export const writtenTo = async (dir: string): Promise<number> => (await stat(await appendedFile(dir))).size

/** Cuts the file of a Redis that is down after the last transaction that lies wholly before the cut. @returns what is gone. */
export const cutTail = async (dir: string, cut: Cut): Promise<Lost> => {
  const file = await appendedFile(dir)
  const content = await readFile(file)
  const transactions = parse(content)
  const position = 'position' in cut ? cut.position : Math.floor(content.length * (1 - cut.share))
  const kept = transactions.filter(({ to }) => to <= position)
  const end = kept.at(-1)?.to ?? 0
  await truncate(file, end)
  return { transactions: transactions.slice(kept.length), bytes: content.length - end }
}

/** Puts the folder of a Redis that is down back as it was when it was copied to `copy`. */
export const putBack = async (dir: string, copy: string): Promise<void> => {
  await rm(join(dir, AOF_FOLDER), { recursive: true, force: true })
  await cp(join(copy, AOF_FOLDER), join(dir, AOF_FOLDER), { recursive: true })
}
