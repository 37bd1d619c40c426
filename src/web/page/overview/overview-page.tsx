import {useEffect, useState} from 'preact/hooks'
import {containerUids, findView} from '../model/containers.ts'
import {go} from '../model/route.ts'
import {followStats} from '../model/stats.ts'
import {useKeys} from '../shell/keyboard.ts'
import {countOf} from '../wording/quantity.ts'
import {List} from './list.tsx'
import {chooseBy, chosenUid, clearFilter, listedUids, nodes} from './listing.ts'
import {RecentEvents} from './recent-events.tsx'
import {StateBlocks} from './state-blocks.tsx'
import {toRoute} from './row.tsx'
import {Toolbar} from './toolbar.tsx'

export function OverviewPage() {
  const [focusRequest, setFocusRequest] = useState(0)
  useEffect(followStats, [])
  useEffect(() => {
    document.title = 'Containers · Tallyman'
  }, [])
  useKeys({
    '/': () => setFocusRequest((count) => count + 1),
    j: () => void chooseBy(1),
    ArrowDown: () => void chooseBy(1),
    k: () => void chooseBy(-1),
    ArrowUp: () => void chooseBy(-1),
    Enter: openChosen,
    Escape: () => {
      chosenUid.value = undefined
      clearFilter()
    },
  })
  return (
    <main class="overview">
      <Masthead />
      <Toolbar focusRequest={focusRequest} />
      <div class="overview-body">
        <section class="sheet">
          <Heads />
          {containerUids.value.length === 0 ? <NoContainers /> : listedUids.value.length === 0 ? <NoMatch /> : <List />}
        </section>
        <RecentEvents />
      </div>
    </main>
  )
}

function openChosen(): void {
  const view = findView(chosenUid.value ?? '')?.value
  if (view) go(toRoute(view))
}

function Masthead() {
  const count = containerUids.value.length
  const [first = '', ...others] = nodes.value
  return (
    <div class="masthead">
      <h1>
        {count === 0 ? 'No containers' : countOf(count, 'container')}{' '}
        <em>{count === 0 ? '' : others.length > 0 ? `on ${others.length + 1} nodes` : `on ${first}`}</em>
      </h1>
      {count > 0 && <StateBlocks />}
    </div>
  )
}

/** Column headings. Hidden from screen readers, since each cell of a row has its own label. */
function Heads() {
  return (
    <div class="heads" aria-hidden="true">
      <span />
      <span>Container</span>
      <span>State</span>
      <span>Outcome</span>
      <span>CPU</span>
      <span>Memory</span>
    </div>
  )
}

function NoContainers() {
  return (
    <div class="empty">
      <p>This node has no container. A new one appears here as soon as it is created:</p>
      <pre class="mono">tally run -d --name web --rootfs DIR -- sh -c 'while true; do echo tick; sleep 1; done'</pre>
    </div>
  )
}

function NoMatch() {
  return (
    <div class="empty">
      <p>None of the {containerUids.value.length} containers matches.</p>
      <button type="button" class="button" onClick={clearFilter}>
        Show all
      </button>
    </div>
  )
}
