// A vitest reporter that keeps what the built-in JSON report leaves out: why a test was skipped. Writes to CI_REPORT.
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

export default class CiReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = []
    const errors = unhandledErrors.map((error) => error.message)
    for (const module of modules) {
      for (const error of module.errors()) errors.push(`${module.relativeModuleId}: ${error.message}`)
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors())
          errors.push(`${module.relativeModuleId}: ${suite.fullName}: ${error.message}`)
      }
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        tests.push({ name: `${module.relativeModuleId}: ${test.fullName}`, state, note })
      }
    }
    mkdirSync(dirname(process.env.CI_REPORT), { recursive: true })
    writeFileSync(process.env.CI_REPORT, JSON.stringify({ tests, errors }))
  }
}
