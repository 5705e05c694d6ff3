import { config } from "zod";

// zod makes functions out of text where it may, and tries whether it may: the console's policy refuses both. It has to be told before any schema is made.
config({ jitless: true });
