/** Who holds which lock, and who waits for it? */
import { html } from '/vendor/preact.js'
import { Card, Empty, Table, Tag } from './parts.js'
import { bodyOf } from './shop-state.js'
import { duration } from './words.js'

const KINDS = { held: 'busy', delayed: 'busy', free: 'good' }

const holderOf = ({ owner, token, expires_in_ms }) =>
  html`<span key=${token}>${owner ?? 'a client without a name'} <small>token ${token}, ends in ${duration(expires_in_ms)}</small></span>`

const waitersOf = ({ waiters = [], waiter_count }) =>
  waiter_count === 0
    ? '–'
    : `${waiter_count}${
        waiters.length > 0
          ? `: ${waiters
              .slice(0, 3)
              .map(({ owner }) => owner ?? 'without a name')
              .join(', ')}${waiter_count > 3 ? ', …' : ''}`
          : ''
      }`

export const Locks = ({ state }) => {
  const locks = (bodyOf(state, 'locks')?.locks ?? []).filter(
    ({ state: is, waiter_count }) => is !== 'free' || waiter_count > 0,
  )
  return html`<${Card} name="locks" title="Locks" aside=${locks.length > 0 && html`<span class="note">${locks.length} in use</span>`}>
    ${
      locks.length === 0
        ? html`<${Empty}>No program holds a lock.<//>`
        : html`<${Table} label="locks" heads=${['lock', 'state', 'who holds it', 'who waits']}>
        ${locks.slice(0, 50).map(
          (lock) => html`<tr key=${lock.name}>
          <th scope="row">${lock.name}</th>
          <td><${Tag} kind=${KINDS[lock.state]}>${lock.mode ?? lock.state}<//></td>
          <td class="tags">${lock.holders.slice(0, 3).map(holderOf)}</td>
          <td>${waitersOf(lock)}</td>
        </tr>`,
        )}
      <//>`
    }
  <//>`
}
