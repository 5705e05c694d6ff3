/** How many names one resolve may ask for. */
export const MAX_NAMES = 100;
