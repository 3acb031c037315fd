package remediation

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// Calendar says how days are counted.
//
// A limit of N days is exactly N times 24 hours after the clock starts, in whatever
// zone. With EndOfDay it is the end of the N-th calendar day after the day on which
// the clock starts. A limit of N working days is always the end of the N-th working
// day after that day, whether or not the day itself is a working day. A due date is
// the end of that day, as the date reads in UTC.
//
// The end of a day is the first instant of the next, in the zone of the calendar,
// which need not be midnight, nor 24 hours after the last. What happens at the
// instant of a deadline is in time; one nanosecond later is late.
type Calendar struct {
	// Zone is a name of the IANA database; empty is UTC. The zones are those of the
	// machine, or of time/tzdata where the program imports it: one that neither has is
	// [assay.ErrUnchecked].
	Zone     string `json:"zone,omitempty"`
	EndOfDay bool   `json:"endOfDay,omitempty"`
	// Weekend are the days of the week on which nobody works, in English and lower
	// case; nil is saturday and sunday, and at least one day of seven is not in it.
	Weekend []string `json:"weekend,omitzero"`
	// Holidays are further such days: "2026-12-25", sorted.
	Holidays []string `json:"holidays,omitzero"`
}

// days is a calendar that is ready to count.
type days struct {
	zone     *time.Location
	endOfDay bool
	weekend  [7]bool
	holidays map[string]bool
}

func (c Calendar) open() (*days, *assay.Error) {
	d := &days{zone: time.UTC, endOfDay: c.EndOfDay, holidays: map[string]bool{}}
	if c.Zone == "Local" || strings.TrimSpace(c.Zone) != c.Zone {
		return nil, wrong("/calendar/zone", c.Zone, "a name of the IANA database: the machine's own zone is another one elsewhere")
	}
	if c.Zone != "" && c.Zone != "UTC" {
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			e := wrong("/calendar/zone", c.Zone, "a zone that this machine knows")
			e.Kind, e.Err = assay.ErrUnchecked, err
			return nil, e
		}
		d.zone = zone
	}
	weekend := c.Weekend
	if weekend == nil {
		weekend = []string{"saturday", "sunday"}
	}
	for i, name := range weekend {
		day := slices.Index([]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}, name)
		if day < 0 || d.weekend[day] {
			return nil, wrong("/calendar/weekend/"+strconv.Itoa(i), name, "a day of the week, once")
		}
		d.weekend[day] = true
	}
	if len(weekend) == 7 {
		return nil, wrong("/calendar/weekend", "", "a day on which somebody works")
	}
	for i, date := range c.Holidays {
		field := "/calendar/holidays/" + strconv.Itoa(i)
		if t, err := time.Parse(time.DateOnly, date); err != nil || t.Format(time.DateOnly) != date {
			return nil, wrong(field, date, "a date, YYYY-MM-DD")
		}
		if i > 0 && date <= c.Holidays[i-1] {
			return nil, wrong(field, date, "a later date than "+c.Holidays[i-1])
		}
		d.holidays[date] = true
	}
	return d, nil
}

// add gives the deadline of a limit that is not unlimited.
func (d *days) add(start time.Time, l Limit) time.Time {
	switch {
	case l.WorkingDays > 0:
		return d.workingDays(start, l.WorkingDays)
	case d.endOfDay:
		y, m, day := start.In(d.zone).Date()
		return d.endOf(y, m, day+l.Days)
	}
	return start.Add(time.Duration(l.Days) * 24 * time.Hour)
}

func (d *days) workingDays(start time.Time, n int) time.Time {
	y, m, day := start.In(d.zone).Date()
	// Dates are counted in UTC, where each day is there and has 24 hours.
	date := time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
	for n > 0 {
		date = date.AddDate(0, 0, 1)
		if !d.weekend[date.Weekday()] && !d.holidays[date.Format(time.DateOnly)] {
			n--
		}
	}
	y, m, day = date.Date()
	return d.endOf(y, m, day)
}

// endOf is the first instant after a date in the zone.
func (d *days) endOf(y int, m time.Month, day int) time.Time {
	want := time.Date(y, m, day+1, 0, 0, 0, 0, time.UTC)
	t := time.Date(y, m, day+1, 0, 0, 0, 0, d.zone)
	// Where clocks are set forward at midnight, time.Date may give an instant of the
	// day before, as it would if clocks were not. The first hour that reads as the
	// wanted date, or later where a zone leaves a date out, is then its start.
	for before(t, want) {
		t = t.Add(30 * time.Minute)
	}
	return t.UTC()
}

// before reports whether t's date, as it reads in its zone, is before that of want.
func before(t, want time.Time) bool {
	y, m, day := t.Date()
	return time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Before(want)
}

// due is the end of the day of a catalogue's date.
func (d *days) due(date time.Time) time.Time {
	return d.endOf(date.UTC().Date())
}

func mapKeys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }
