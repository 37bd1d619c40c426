import type {ComponentChildren} from 'preact'
import {useEffect, useRef} from 'preact/hooks'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** A modal dialog, closed by Escape or a click outside it. Rendered only while it is open. */
export function Dialog({title, onClose, children}: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    element.current?.showModal()
  }, [])
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-label={title}
      onClose={onClose}
      onClick={(event: MouseEvent) => {
        if (event.target === element.current) onClose()
      }}
      onKeyDown={(event: KeyboardEvent) => event.stopPropagation()}
    >
      <div class="dialog-inside">
        <h2 class="dialog-title">{title}</h2>
        {children}
      </div>
    </dialog>
  )
}
