# bars.awk - measurements as bars, an SVG: the median, and a line from the first to the third quartile.
# Lines of NAME, MEDIAN, FIRST, THIRD, separated by tabs; -v title= -v unit= -v note=
function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
function text(x, y, anchor, s) { printf "<text x=\"%g\" y=\"%g\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, escaped(s) }
function at(v) { return LEFT + (WIDTH - LEFT - RIGHT) * v / most }
BEGIN { FS = "\t"; WIDTH = 860; LEFT = 270; RIGHT = 90; ROW = 30; TOP = 50 }
{ name[NR] = $1; median[NR] = $2; first[NR] = $3; third[NR] = $4; most = $4 > most ? $4 : most }
# A round number, so that there are about five of them.
function step(  s) { for (s = 10 ^ int(log(most) / log(10) - 1); most / s > 6; s *= most / s > 15 ? 5 : 2); return s }
END {
	if (!NR || most <= 0)
		exit
	bottom = TOP + ROW * NR
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n", WIDTH, bottom + 55
	printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	text(WIDTH / 2, 25, "middle", title)
	for (v = 0; v <= most; v += step()) {
		printf "<line x1=\"%g\" y1=\"%d\" x2=\"%g\" y2=\"%d\" stroke=\"#ddd\"/>\n", at(v), TOP - 8, at(v), bottom
		text(at(v), bottom + 16, "middle", v)
	}
	text((LEFT + WIDTH - RIGHT) / 2, bottom + 32, "middle", unit)
	text(10, bottom + 48, "start", note)
	for (i = 1; i <= NR; i++) {
		y = TOP + ROW * (i - 1)
		text(LEFT - 8, y + 15, "end", name[i])
		printf "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"16\" fill=\"%s\"/>\n", LEFT, y + 2, at(median[i]) - LEFT, name[i] ~ /floor/ ? "#b0b0b0" : name[i] ~ /^(crun|clang)/ ? "#f6b26b" : "#6fa8dc"
		printf "<path d=\"M%g %gv8m0 -4H%gm0 -4v8\" stroke=\"black\" fill=\"none\"/>\n", at(first[i]), y + 6, at(third[i])
		text(at(third[i]) + 6, y + 15, "start", sprintf(median[i] < 10 ? "%.2f" : "%.1f", median[i]))
	}
	print "</svg>"
}
