/*
   The rules the scanner brings along: the two test strings of the trade, so that a farm can be
   tried without any signature database. Both are written in hexadecimal, or this file itself
   would be found wherever it is scanned.

   Meta that the engine reads:
     judges   "virus" (default) or "spam"
     score    with "spam": what a match adds to the score; required there
*/

rule EICAR_Test_File
{
    meta:
        judges = "virus"
        about = "The EICAR anti-malware test file: 68 octets, harmless"
    strings:
        $text = { 58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D
                  24 45 49 43 41 52 2D 53 54 41 4E 44 41 52 44 2D 41 4E 54 49 56 49 52 55 53 2D 54
                  45 53 54 2D 46 49 4C 45 21 24 48 2B 48 2A }
    condition:
        $text
}

rule GTUBE_Test_String
{
    meta:
        judges = "spam"
        score = 1000
        about = "The generic test for unsolicited bulk e-mail, as SpamAssassin scores it"
    strings:
        $text = { 58 4A 53 2A 43 34 4A 44 42 51 41 44 4E 31 2E 4E 53 42 4E 33 2A 32 49 44 4E 45 4E
                  2A 47 54 55 42 45 2D 53 54 41 4E 44 41 52 44 2D 41 4E 54 49 2D 55 42 45 2D 54 45
                  53 54 2D 45 4D 41 49 4C 2A 43 2E 33 34 58 }
    condition:
        $text
}
