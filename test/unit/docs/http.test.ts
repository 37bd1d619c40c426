import {describe, expect, it} from 'vitest'
import {largestRequestBytes} from '../../../src/messaging/codec.ts'
import {commandVerbs} from '../../../src/web/server/command-routes.ts'
import {defaultAddress} from '../../../src/web/server/listen.ts'
import {toSecurityHeaders} from '../../../src/web/server/security-headers.ts'
import {sessionCookiePrefix, sessionLifeMs} from '../../../src/web/server/sessions.ts'
import {tokenLifeMs} from '../../../src/web/server/tokens.ts'
import {readCode, readProjectFile, readSection} from './markdown.ts'

const text = readProjectFile('docs/http.md')

describe('docs/http.md', () => {
  it('has the address of the page and the duration of a login', () => {
    expect(text).toContain(`on ${defaultAddress.host}:${defaultAddress.port}`)
    const login = readSection(text, 2, 'Login')
    expect(login).toContain(`valid once, for ${tokenLifeMs / 60_000} minutes`)
    expect(login).toContain(`\`${sessionCookiePrefix}<`)
    expect(login).toContain(`for ${sessionLifeMs / 3_600_000} hours`)
  })

  it('names the commands that can be sent, and no other', () => {
    const [sentence = ''] = readSection(text, 2, 'Commands').split('Request')
    expect(readCode(sentence).slice(1)).toEqual(commandVerbs)
  })

  it('says how large a request may be', () => {
    expect(text).toContain(`limited to ${largestRequestBytes} bytes`)
  })

  it('promises what the headers contain', () => {
    const headers = toSecurityHeaders('127.0.0.1:7070')
    expect(headers['Content-Security-Policy']).toContain("frame-ancestors 'none'")
    expect(headers['Content-Security-Policy']).not.toMatch(/unsafe|\*|https?:/)
    expect(headers['X-Content-Type-Options']).toBe('nosniff')
  })
})
