import test from 'ava'
import { openIsSecret } from '../../../shared/process/secret.ts'

for (const [secret, given, expected] of [
  ['of the shop', 'of the shop', true],
  ['of the shop', 'of the shoq', false],
  ['of the shop', 'of the sho', false],
  ['of the shop', 'of the shops', false],
  ['of the shop', '', false],
  // As many characters, and more bytes.
  ['of the shop', 'of the shöp', false],
  ['', '', true],
] as const)
  test(`"${given}" is ${expected ? '' : 'not '}the secret "${secret}"`, (t) => {
    t.is(openIsSecret(secret)(given), expected)
  })
