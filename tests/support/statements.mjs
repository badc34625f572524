// The numbered statements of the contracts, as their documents have them: the one list of what there is to
// answer for.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the statements of a prefix stand, from the top of the repository. */
export const documents = { BMQ: 'lib/spec/bullmq.md', WF: 'worker/workflow/spec/workflow.md' };

const ITEM = /^- ([A-Z]+-\d{3}) ((?:\([VS]\) )?)(.*(?:\n {2}.*)*)/gm;

const HEADING = /^#+ (?:Appendix )?([A-Z0-9](?:[\d.]*\d)?)\.? /gm;

function readDocument(prefix) {
    return readFileSync(fileURLToPath(new URL(`../../${documents[prefix]}`, import.meta.url)), 'utf8');
}

/** How the document's sections are cited: `§3.9.2`, `Appendix A.1`. */
export function readSections(prefix) {
    return [...readDocument(prefix).matchAll(HEADING)].map(([, number]) =>
        /^\d/.test(number) ? `§${number}` : `Appendix ${number}`,
    );
}

/** [{number, text}] in the order of the document, which has every number from 001 on once. */
export function readStatements(prefix) {
    const statements = [...readDocument(prefix).matchAll(ITEM)].map(([, number, , text]) => ({
        number,
        text: text.replaceAll(/\s+/g, ' '),
    }));

    statements.forEach(({ number }, i) => {
        const due = `${prefix}-${String(i + 1).padStart(3, '0')}`;
        if (number !== due) throw new Error(`${documents[prefix]}: ${number} stands where ${due} should`);
    });
    if (statements.length === 0) throw new Error(`${documents[prefix]}: no statements`);
    return statements;
}
