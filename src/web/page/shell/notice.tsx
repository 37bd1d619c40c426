import type {ComponentChildren} from 'preact'
import type {Failure} from '../../../../machines/ledger/events.ts'

/** A page that shows only a message. */
export function Notice({title, children}: {readonly title: string; readonly children: ComponentChildren}) {
  return (
    <main class="notice">
      <h1>{title}</h1>
      {children}
    </main>
  )
}

/** An error, with the code under which docs/errors.md describes it. */
export function FailureNote({failure, onDismiss}: {readonly failure: Failure; readonly onDismiss?: () => void}) {
  return (
    <div class="failure" role="alert">
      <p>
        {failure.message} <code class="failure-code">{failure.code}</code>
      </p>
      {onDismiss && (
        <button type="button" class="failure-dismiss" onClick={onDismiss} aria-label="Dismiss">
          ×
        </button>
      )}
    </div>
  )
}
