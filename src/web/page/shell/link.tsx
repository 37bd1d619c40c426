import type {ComponentChildren} from 'preact'
import {toPath, type Route} from '../model/route-path.ts'
import {go} from '../model/route.ts'

interface LinkProps {
  readonly to: Route
  readonly class?: string
  readonly label?: string
  readonly children: ComponentChildren
}

/** A link within the page. With a modifier key the browser opens it, for example in a new tab. */
export function Link({to, label, children, class: name}: LinkProps) {
  return (
    <a
      href={toPath(to)}
      class={name ?? ''}
      {...(label !== undefined && {'aria-label': label})}
      onClick={(event: MouseEvent) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(to)
      }}
    >
      {children}
    </a>
  )
}
