import type {ComponentChildren} from 'preact'
import type {ApiFailure} from '../api/http.ts'

/** A page that has nothing else to show. */
export function Notice({title, children}: {readonly title: string; readonly children: ComponentChildren}) {
  return (
    <main class="notice">
      <h1>{title}</h1>
      {children}
    </main>
  )
}

/** An error of the table, with its code to be looked up. */
export function FailureNote({failure, onDismiss}: {readonly failure: ApiFailure; readonly onDismiss?: () => void}) {
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
