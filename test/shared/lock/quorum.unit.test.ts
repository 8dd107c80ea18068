/** The cases are text, in `quorum/`: a line for each combination of answers, and what follows from it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { type VoteResult, voteResult } from '../../../shared/lock/quorum.ts'

const FOLDER = join(import.meta.dirname, 'quorum')

type Case = readonly [answers: string, result: string]

const casesOf = (file: string): readonly Case[] =>
  readFileSync(join(FOLDER, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): Case => {
      const [answers = '', result = ''] = line.split(/ +/)
      return [answers, result]
    })

const numberOf = (answer: string, answers: string): number => answers.split(answer).length - 1

const resultOf = (answers: string): VoteResult =>
  voteResult({
    masters: answers.length,
    votes: numberOf('y', answers),
    refusals: numberOf('n', answers),
    failures: numberOf('x', answers),
  })

/** Every combination of answers, in the order of the letters. */
const combinations = (masters: number, letters = 'ynx_'): readonly string[] => {
  if (masters === 0) return ['']
  return [...letters].flatMap((letter, at) =>
    combinations(masters - 1, letters.slice(at)).map((others) => `${letter}${others}`),
  )
}

const files = readdirSync(FOLDER)

test('there are cases of one to five masters', (t) => {
  t.deepEqual(files.map((file) => casesOf(file)[0]?.[0].length).sort(), [1, 2, 3, 4, 5])
})

for (const file of files)
  test(`${file}: each combination of answers is there, and has the result that is written beside it`, (t) => {
    const cases = casesOf(file)
    t.deepEqual(
      cases.map(([answers]) => answers),
      combinations(cases[0]?.[0].length ?? 0),
    )
    for (const [answers, result] of cases) t.is(resultOf(answers), result as VoteResult, answers)
  })

test('what is decided stays so, whatever is answered later', (t) => {
  for (const [answers, result] of files.flatMap(casesOf))
    if (result !== 'pending' && answers.includes('_'))
      for (const later of 'ynx') t.is(resultOf(answers.replace('_', later)), result as VoteResult, answers)
})

test('a vote is won when more than half of the masters voted yes, and only then', (t) => {
  for (const [answers, result] of files.flatMap(casesOf))
    t.is(result === 'won', numberOf('y', answers) * 2 > answers.length, answers)
})
