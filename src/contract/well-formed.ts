/** Whether UTF-8 can carry a text: it holds no lone surrogate. For `schema.refine(isWellFormed, NOT_WELL_FORMED)`. */
export const isWellFormed = (text: string): boolean => text.isWellFormed();

/** How a text that is not well-formed is refused. */
export const NOT_WELL_FORMED = { error: "the text holds a lone surrogate, which UTF-8 cannot carry" };
