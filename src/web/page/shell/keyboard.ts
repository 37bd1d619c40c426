/** Keyboard shortcuts of the page. Not active in fields, terminals and dialogs. */
import {useEffect, useRef} from 'preact/hooks'

type KeyHandlers = Readonly<Record<string, (() => void) | undefined>>

/** @param handlers by `KeyboardEvent.key`; those of the last render are used */
export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers)
  latest.current = handlers
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      const handler = latest.current[event.key]
      if (!handler) return
      if ((event.key === ' ' || event.key === 'Enter') && isControl(event.target)) return
      event.preventDefault()
      handler()
    }
    addEventListener('keydown', listener)
    return () => removeEventListener('keydown', listener)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, select, textarea, .xterm, dialog') !== null
}

/** Space and Enter activate these elements. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, summary, [role="tab"]') !== null
}
