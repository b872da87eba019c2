/** The kernel's white space between arguments, as far as it is ASCII. */
const WHITE_SPACE = /[ \t\n\v\f\r]+/

/** The words of a text. */
export function splitWords(text: string): string[] {
  return text.split(WHITE_SPACE).filter((word) => word !== "")
}

/** The arguments before a comment, which begins with `#` wherever it stands. */
export function splitArguments(words: readonly string[]): string[] {
  const commentIndex = words.findIndex((word) => word.includes("#"))
  if (commentIndex < 0) return [...words]
  const [last = ""] = (words[commentIndex] ?? "").split("#")
  return [...words.slice(0, commentIndex), ...(last === "" ? [] : [last])]
}

/** Whether a table line can say this argument. */
export function isArgument(text: string): boolean {
  return text !== "" && !text.includes("#") && !WHITE_SPACE.test(text)
}
