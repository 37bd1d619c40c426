import {feedState, isOutdated} from '../model/feed.ts'
import {nodeInfo} from '../model/containers.ts'
import {isDark, nextTheme} from '../model/theme.ts'
import type {StreamState} from '../api/server-events.ts'
import {helpIsOpen} from './help.tsx'
import {Logo} from './logo.tsx'
import {Link} from './link.tsx'

const feedWords: Readonly<Record<StreamState, string>> = {connecting: 'connecting', live: 'live', lost: 'reconnecting'}

/** The bar at the top: the node, and whether events arrive. */
export function Header() {
  return (
    <header class="topbar">
      <div class="topbar-inside">
        <Link class="wordmark" to={{page: 'overview'}} label="Tallyman, all containers">
          <Logo />
          <span aria-hidden="true">Tallyman</span>
        </Link>
        <NodeName />
        <FeedMark />
        <button
          type="button"
          class="topbar-button"
          onClick={nextTheme}
          aria-label={isDark() ? 'Light colours' : 'Dark colours'}
          title="Colours (t)"
        >
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <circle cx="10" cy="10" r="6.4" fill="none" stroke="currentColor" stroke-width="1.6" />
            <path d="M10 3.6a6.4 6.4 0 0 1 0 12.8z" fill="currentColor" />
          </svg>
        </button>
        <button
          type="button"
          class="topbar-button"
          onClick={() => {
            helpIsOpen.value = true
          }}
          aria-label="Keys"
          title="Keys (?)"
        >
          <span aria-hidden="true">?</span>
        </button>
      </div>
    </header>
  )
}

function NodeName() {
  const info = nodeInfo.value
  if (!info) return <span class="topbar-node" />
  const runtime = info.runtime ? `${info.runtime.name} ${info.runtime.version}` : 'no runtime'
  return (
    <span class="topbar-node" title={`version ${info.version}, ${runtime}, coordinator ${info.coordinatorPid}`}>
      node <strong>{info.node}</strong>
    </span>
  )
}

function FeedMark() {
  if (isOutdated.value) {
    return (
      <button type="button" class="feed feed-reload" title="The node runs a newer version than this page" onClick={() => location.reload()}>
        reload
      </button>
    )
  }
  const state = feedState.value
  return (
    <span class="feed" data-feed={state} role="status">
      <span class="feed-dot" aria-hidden="true" />
      {feedWords[state]}
    </span>
  )
}
