/**
 * The console: what happens in the shop, as it happens.
 *
 * One stream tells all of it (`session.js`), one state holds it (`shop-state.js`), and each card shows a part. Which checkout is looked at stands behind
 * the `#` of the address, so that it can be sent to somebody.
 */
import { html, render, useEffect, useReducer, useState } from '/vendor/preact.js'
import { Audit } from './audit.js'
import { OneCheckout } from './checkout.js'
import { Checkouts } from './checkouts.js'
import { Demo } from './demo.js'
import { Flow } from './flow.js'
import { Letters } from './letters.js'
import { Locks } from './locks.js'
import { Tag } from './parts.js'
import { follow, keepToken, keptToken } from './session.js'
import { Shop } from './shop.js'
import { after, nothing } from './shop-state.js'
import { time } from './words.js'

const LIVE = {
  connecting: ['connecting', 'busy'],
  live: ['live', 'good'],
  lost: ['the gateway does not answer; trying again', 'bad'],
  token: ['a token is wanted', 'busy'],
}
const TOLD_MS = 6_000
/** Longer than it takes to fade. */
const FADED_MS = 300
const UNTOLD = { text: '', isShown: false }

const chosenIn = () => /^#checkout=([\w-]{1,64})$/.exec(location.hash)?.[1]

/** Which checkout the address names, and how to name another one. */
const useChosen = () => {
  const [chosen, setChosen] = useState(chosenIn)
  useEffect(() => {
    const look = () => setChosen(chosenIn())
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  const open = (logId) => {
    history.replaceState(null, '', logId === undefined ? location.pathname : `#checkout=${logId}`)
    setChosen(logId)
  }
  return [chosen, open]
}

const useShop = (turn) => {
  const [state, tell] = useReducer(after, nothing)
  useEffect(() => {
    const ending = new AbortController()
    follow({
      onMessage: tell,
      onState: (live, why) => tell({ name: 'state', live, why }),
      signal: ending.signal,
    })
    return () => ending.abort()
  }, [turn])
  return state
}

/** What was done last, told also to who does not see it. It fades with its text, and is empty then. */
const useTold = () => {
  const [told, setTold] = useState(UNTOLD)
  useEffect(() => {
    if (told.text === '') return
    const fade = () => setTold({ ...told, isShown: false })
    const timer = told.isShown ? setTimeout(fade, TOLD_MS) : setTimeout(() => setTold(UNTOLD), FADED_MS)
    return () => clearTimeout(timer)
  }, [told])
  return [told, (text) => setTold({ text, isShown: true })]
}

const AskForToken = ({ why, onGiven }) => {
  const [token, setToken] = useState('')
  const submit = (event) => {
    event.preventDefault()
    keepToken(token.trim())
    onGiven()
  }
  return html`<main id="main" class="missing"><section class="card" aria-labelledby="token-title">
    <h2 id="token-title">${keptToken() === '' ? 'This console is for operators' : 'This token was not accepted'}</h2>
    ${keptToken() !== '' && why && html`<p class="error">${why}</p>`}
    <p>Give the <code>OPERATOR_TOKEN</code> of the shop, or a token or key with the scope <code>operator</code>. It is kept in this tab until that is closed.</p>
    <form class="filters" onSubmit=${submit}>
      <label class="field grow">token<input type="password" autocomplete="off" required value=${token} onInput=${(event) => setToken(event.target.value)} /></label>
      <button type="submit" class="main">look</button>
    </form>
  </section></main>`
}

const Head = ({ state, onForget }) => {
  const [word, kind] = LIVE[state.live]
  return html`<header>
    <a class="skip" href="#main">to the content</a>
    <h1><img src="/console/icon.svg" alt="" width="24" height="24" /> saga-shop</h1>
    <span role="status"><${Tag} kind=${kind}>${word}<//></span>
    ${state.at > 0 && html`<span class="note number">${time(state.at)}</span>`}
    <nav aria-label="elsewhere"><a href="/docs">API</a> ${keptToken() !== '' && html`<button type="button" class="link" onClick=${onForget}>forget the token</button>`}</nav>
  </header>`
}

const Console = () => {
  const [turn, setTurn] = useState(0)
  const [chosen, open] = useChosen()
  const [told, tell] = useTold()
  const state = useShop(turn)
  const again = () => setTurn((n) => n + 1)
  const forget = () => {
    keepToken('')
    again()
  }
  return html`
    <${Head} state=${state} onForget=${forget} />
    ${
      state.live === 'token'
        ? html`<${AskForToken} why=${state.why} onGiven=${again} />`
        : html`<main id="main" class=${state.live === 'lost' ? 'stale' : ''}>
      ${state.demo && html`<${Demo} state=${state} onTell=${tell} />`}
      <${Flow} state=${state} />
      <${Audit} state=${state} />
      ${chosen && html`<${OneCheckout} key=${chosen} logId=${chosen} known=${state.checkouts.get(chosen)} onClose=${() => open(undefined)} onTell=${tell} />`}
      <${Checkouts} state=${state} chosen=${chosen} onOpen=${open} onTell=${tell} />
      <${Shop} state=${state} />
      <${Letters} state=${state} onOpen=${open} onTell=${tell} />
      <${Locks} state=${state} />
    </main>`
    }
    <p class=${`told ${told.isShown ? 'shown' : ''}`} role="status">${told.text}</p>`
}

render(html`<${Console} />`, document.getElementById('console'))
