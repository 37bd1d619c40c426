import {ContainerPage} from './container/container-page.tsx'
import {OverviewPage} from './overview/overview-page.tsx'
import {generation, loadState} from './model/containers.ts'
import {route} from './model/route.ts'
import {nextTheme} from './model/theme.ts'
import {Header} from './shell/header.tsx'
import {Help, helpIsOpen} from './shell/help.tsx'
import {useKeys} from './shell/keyboard.ts'
import {Link} from './shell/link.tsx'
import {Notice} from './shell/notice.tsx'

export function App() {
  useKeys({
    '?': () => {
      helpIsOpen.value = true
    },
    t: nextTheme,
  })
  return (
    <>
      <Header />
      <Page />
      <Help />
    </>
  )
}

function Page() {
  const [state, shown] = [loadState.value, route.value]
  if (state.type === 'signed-out') return <SignedOut />
  if (state.type === 'failed') {
    return (
      <Notice title="The node does not respond">
        <p>{state.failure.message}</p>
        <p>The page retries every two seconds.</p>
      </Notice>
    )
  }
  if (shown.page === 'unknown') {
    return (
      <Notice title="Page not found">
        <p>
          There is no page at this address. <Link to={{page: 'overview'}}>Show all containers.</Link>
        </p>
      </Notice>
    )
  }
  if (state.type === 'loading') return <main class="loading" aria-busy="true" aria-label="Loading" />
  if (shown.page === 'container') return <ContainerPage key={`${toKey(shown)} ${generation.value}`} route={shown} />
  return <OverviewPage />
}

function toKey({address: {node, namespace, id}, uid}: Extract<typeof route.value, {readonly page: 'container'}>): string {
  return [node, namespace, id, uid].join('/')
}

function SignedOut() {
  return (
    <Notice title="Not signed in">
      <p>
        This page can control containers, so each browser needs a login link. On the node, <code>tally ui</code> prints one.
      </p>
      <p>A link is valid for one login; the browser is then signed in for a day.</p>
    </Notice>
  )
}
