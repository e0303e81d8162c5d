#include "mask_words.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace core {

const std::array<Word, 256> first_names{
    "Ada", "Adam", "Adela", "Agnes", "Aisha", "Alan", "Albert", "Alejandro", "Alex", "Alexandra", "Alfred", "Alice", "Alina", "Alma",
    "Amara", "Amelia", "Amina", "Amir", "Ana", "Andre", "Andrea", "Andrew", "Angela", "Anita", "Anna", "Anton", "Antonio", "Arjun",
    "Arthur", "Astrid", "August", "Barbara", "Beatrice", "Ben", "Benjamin", "Bernard", "Bianca", "Bjorn", "Bruno", "Camila", "Carla",
    "Carlos", "Carmen", "Caroline", "Catherine", "Cecilia", "Charles", "Charlotte", "Chiara", "Chloe", "Christian", "Christina", "Clara",
    "Claudia", "Colin", "Connor", "Daniel", "Daniela", "David", "Deborah", "Denise", "Diana", "Diego", "Dmitri", "Dominic", "Dora",
    "Dorothy", "Edith", "Edward", "Elena", "Eleanor", "Elias", "Elif", "Elisa", "Elizabeth", "Ella", "Emil", "Emilia", "Emily", "Emma",
    "Enrique", "Eric", "Erik", "Esther", "Eva", "Fatima", "Felix", "Fernando", "Filip", "Fiona", "Flora", "Frances", "Francisco", "Frank",
    "Freya", "Gabriel", "Gabriela", "George", "Gerald", "Gloria", "Grace", "Greta", "Guido", "Gustav", "Hana", "Hannah", "Harold",
    "Harry", "Hassan", "Hector", "Heidi", "Helen", "Helena", "Henrik", "Henry", "Hugo", "Ian", "Ibrahim", "Ida", "Igor", "Ines", "Ingrid",
    "Irene", "Iris", "Isaac", "Isabel", "Ivan", "Jack", "Jacob", "James", "Jan", "Jane", "Janet", "Jasmine", "Javier", "Joan", "Joanna",
    "Johan", "John", "Jonas", "Jonathan", "Jorge", "Jose", "Joseph", "Juan", "Judith", "Julia", "Julian", "Karen", "Karim", "Karl",
    "Kate", "Katarina", "Kenji", "Kevin", "Klara", "Kofi", "Kurt", "Lara", "Laura", "Leah", "Leila", "Lena", "Leo", "Leon", "Lewis",
    "Liam", "Lila", "Lina", "Linda", "Lisa", "Louis", "Louise", "Lucas", "Lucia", "Luis", "Luka", "Lydia", "Magnus", "Manuel", "Marco",
    "Margaret", "Maria", "Marie", "Mario", "Mark", "Marta", "Martin", "Mary", "Mateo", "Matilda", "Matteo", "Maurice", "Max", "Maya",
    "Mei", "Michael", "Mila", "Milan", "Mira", "Miriam", "Mohamed", "Monica", "Nadia", "Naomi", "Natalia", "Nathan", "Nicholas", "Nicole",
    "Nina", "Nora", "Oliver", "Samir", "Samuel", "Sara", "Sebastian", "Selma", "Silvia", "Simon", "Sofia", "Stefan", "Susan", "Tamara",
    "Teresa", "Thomas", "Tobias", "Valentina", "Victor", "Vincent", "Yusuf", "Olivia", "Omar", "Oscar", "Otto", "Pablo", "Patricia",
    "Paul", "Paula", "Pedro", "Peter", "Philip", "Pierre", "Priya", "Rachel", "Rafael", "Rahul", "Ralph", "Raymond", "Rebecca", "Ricardo",
    "Richard", "Rita", "Robert", "Robin", "Rosa", "Ruth"};

const std::array<Word, 256> last_names{
    "Abbott", "Adams", "Adler", "Aguilar", "Ahmed", "Albrecht", "Allen", "Alvarez", "Andersen", "Anderson", "Andrews", "Arnold", "Ashby",
    "Atkins", "Bailey", "Baker", "Banerjee", "Barber", "Barnes", "Baron", "Bates", "Bauer", "Becker", "Bell", "Bennett", "Berg",
    "Bergman", "Berry", "Bianchi", "Bishop", "Black", "Blake", "Bond", "Bowen", "Bradley", "Brandt", "Braun", "Brennan", "Brooks",
    "Brown", "Bruno", "Bryant", "Burke", "Burns", "Burton", "Butler", "Campbell", "Carlson", "Carr", "Carter", "Castillo", "Castro",
    "Chandler", "Chapman", "Chen", "Clark", "Cohen", "Cole", "Collins", "Conrad", "Conti", "Cook", "Cooper", "Costa", "Cox", "Craig",
    "Crawford", "Cross", "Cruz", "Curtis", "Dahl", "Dalton", "Daly", "Davies", "Davis", "Dawson", "Delgado", "Diaz", "Dixon", "Dubois",
    "Duncan", "Dunn", "Edwards", "Eklund", "Elliott", "Ellis", "Engel", "Eriksen", "Evans", "Farrell", "Ferrari", "Fischer", "Fisher",
    "Fleming", "Flores", "Flynn", "Ford", "Foster", "Fournier", "Fowler", "Fox", "Francis", "Franklin", "Fraser", "Freeman", "Friedman",
    "Fuchs", "Fuller", "Garcia", "Gardner", "Garrett", "Gibson", "Gilbert", "Gomez", "Gonzalez", "Gordon", "Graham", "Grant", "Graves",
    "Gray", "Greco", "Green", "Griffin", "Gross", "Gruber", "Gupta", "Haas", "Hahn", "Hale", "Hall", "Hamilton", "Hansen", "Harper",
    "Harris", "Hart", "Harvey", "Hayes", "Henry", "Hernandez", "Herrera", "Hill", "Hoffman", "Holm", "Holmes", "Holt", "Horn", "Howard",
    "Huber", "Hughes", "Hunt", "Hunter", "Ibarra", "Ito", "Jackson", "Jansen", "Jensen", "Johansson", "Johnson", "Jones", "Jordan",
    "Joshi", "Kaiser", "Kane", "Kapoor", "Kaufman", "Keller", "Kelly", "Kennedy", "Khan", "Klein", "Knight", "Koch", "Kovacs", "Kowalski",
    "Kramer", "Krause", "Kumar", "Lambert", "Lang", "Larsen", "Larson", "Laurent", "Lawson", "Lee", "Lehmann", "Leon", "Leroy", "Lewis",
    "Lindberg", "Lindgren", "Lopez", "Lund", "Lynch", "Maier", "Marino", "Marsh", "Marshall", "Martin", "Martinez", "Mason", "Meier",
    "Mendes", "Mendoza", "Meyer", "Miller", "Mitchell", "Molina", "Moore", "Morales", "Moreau", "Moreno", "Morgan", "Morris", "Moser",
    "Murphy", "Murray", "Myers", "Nash", "Navarro", "Nelson", "Newman", "Nguyen", "Sanchez", "Turner", "Nielsen", "Norris", "Novak",
    "Nowak", "Nunez", "Oliver", "Olsen", "Ortega", "Ortiz", "Osborne", "Owens", "Palmer", "Park", "Parker", "Patel", "Pearson", "Perez",
    "Perry", "Petersen", "Phillips", "Pierce", "Porter", "Powell", "Quinn", "Ramirez", "Ramos", "Reed", "Reid", "Reyes", "Rivera",
    "Roberts", "Rossi"};

const std::array<Word, 64> street_names{
    "Acacia", "Alder", "Almond", "Amber", "Apple", "Arbor", "Ash", "Aspen", "Bay", "Beech", "Birch", "Bridge", "Briar", "Brook", "Canal",
    "Castle", "Cedar", "Chapel", "Cherry", "Chestnut", "Church", "Clover", "Coral", "Cypress", "Dale", "Elder", "Elm", "Fern", "Field",
    "Forest", "Fountain", "Garden", "Glen", "Grange", "Granite", "Harbor", "Hazel", "Heather", "Hickory", "Highland", "Hill", "Holly",
    "Iris", "Ivy", "Juniper", "Lake", "Larch", "Laurel", "Lilac", "Linden", "Magnolia", "Maple", "Market", "Meadow", "Mill", "Oak",
    "Olive", "Orchard", "Park", "Pine", "Poplar", "River", "Rose", "Willow"};

const std::array<Word, 8> street_kinds{
    "Street", "Road", "Avenue", "Lane", "Way", "Court", "Drive", "Place"};

const std::array<Word, 64> town_beginnings{
    "Ald", "Alder", "Ash", "Bar", "Beck", "Black", "Brad", "Bram", "Bright", "Brook", "Cald", "Carl", "Castle", "Chal", "Clay", "Cold",
    "Crow", "Dal", "Dun", "East", "Elm", "Fair", "Fern", "Gold", "Gran", "Green", "Hal", "Hart", "Haver", "Hazel", "High", "Holm", "Ken",
    "King", "Lang", "Lin", "Long", "Mar", "Mel", "Mill", "Moor", "New", "North", "Nor", "Oak", "Old", "Pen", "Red", "Rich", "Rock",
    "Rose", "Sand", "Shel", "Silver", "South", "Stan", "Stone", "Sun", "Thorn", "Wal", "West", "White", "Whit", "Wood"};

const std::array<Word, 16> town_endings{
    "bridge", "bury", "by", "combe", "dale", "field", "ford", "ham", "haven", "hurst", "ley", "mere", "mouth", "stead", "ton", "wick"};

const std::array<Word, 64> company_names{
    "Acorn", "Amber", "Anchor", "Apex", "Arbor", "Arrow", "Atlas", "Aurora", "Azure", "Beacon", "Birch", "Blue", "Bright", "Canyon",
    "Cedar", "Cobalt", "Compass", "Copper", "Coral", "Crescent", "Crystal", "Delta", "Eagle", "Echo", "Ember", "Evergreen", "Falcon",
    "Fern", "Forge", "Garnet", "Golden", "Granite", "Green", "Harbor", "Hazel", "Horizon", "Indigo", "Iron", "Ivory", "Jade", "Juniper",
    "Keystone", "Lantern", "Laurel", "Lumen", "Maple", "Marble", "Meridian", "Nimbus", "North", "Nova", "Oak", "Onyx", "Orchid",
    "Pioneer", "Quartz", "Raven", "River", "Sable", "Silver", "Summit", "Timber", "Vertex", "Willow"};

const std::array<Word, 32> company_trades{
    "Analytics", "Consulting", "Design", "Electric", "Energy", "Engineering", "Foods", "Freight", "Health", "Labs", "Logistics",
    "Manufacturing", "Marine", "Media", "Mobility", "Networks", "Optics", "Partners", "Pharma", "Power", "Print", "Robotics", "Security",
    "Services", "Software", "Solar", "Supply", "Systems", "Textiles", "Trading", "Travel", "Works"};

const std::array<Word, 8> company_forms{
    "AG", "Co", "Corp", "GmbH", "Group", "Inc", "Ltd", "LLC"};

// In the order of their bytes.
constexpr Word other_first_names[] = {
    "Aaron", "Abdul", "Abigail", "Agnieszka", "Ahmed", "Alejandra", "Alexis", "Ali", "Alicia", "Alison", "Allison", "Amanda", "Amber",
    "Amy", "Andreas", "Andy", "Angel", "Ann", "Anne", "Annette", "Ashley", "Audrey", "Ava", "Beate", "Becky", "Beth", "Bettina", "Betty",
    "Bill", "Billy", "Birgit", "Björn", "Bob", "Bobby", "Brandon", "Brenda", "Brian", "Bruce", "Bryan", "Caitlin", "Carol", "Carolina",
    "Carolyn", "Cheryl", "Chris", "Christine", "Christoph", "Christopher", "Cindy", "Craig", "Cynthia", "Dan", "Danielle", "Dave", "Dean",
    "Debbie", "Dennis", "Derek", "Diane", "Dieter", "Donald", "Donna", "Doris", "Doug", "Douglas", "Dylan", "Ed", "Eduardo", "Eileen",
    "Elaine", "Ellen", "Elsa", "Emanuel", "Emmanuel", "Erika", "Ernst", "Ethan", "Eugene", "Eugenia", "Evelyn", "Florian", "François",
    "Fred", "Friedrich", "Gail", "Gary", "Geoffrey", "Georg", "Gerd", "Gerhard", "Giovanni", "Giulia", "Giuseppe", "Glen", "Gordon",
    "Graham", "Greg", "Gregory", "Günter", "Günther", "Hans", "Hartmut", "Heather", "Heike", "Heinz", "Helga", "Herbert", "Horst",
    "Howard", "Isabella", "Jacqueline", "Jake", "Jamal", "Jason", "Jay", "Jeff", "Jeffrey", "Jennifer", "Jens", "Jeremy", "Jerry",
    "Jessica", "Jesús", "Jill", "Jim", "Jimmy", "Joachim", "Joe", "Joel", "Joshua", "José", "Joyce", "Justin", "Jörg", "Jürgen",
    "Kathleen", "Kathryn", "Katie", "Keith", "Kelly", "Ken", "Kenneth", "Kerstin", "Kim", "Klaus", "Krzysztof", "Kyle", "Larry", "Lauren",
    "Leonard", "Leslie", "Logan", "Lori", "Luca", "Lucía", "Luigi", "Lukas", "Luke", "Manfred", "Marcel", "Marcus", "Marilyn", "Marion",
    "Markus", "Martha", "Marvin", "María", "Mason", "Matt", "Matthew", "Matthias", "Małgorzata", "Megan", "Melanie", "Melissa", "Mia",
    "Mike", "Mitchell", "Mohammed", "Moritz", "Muhammad", "Nancy", "Nathalie", "Neil", "Nick", "Nico", "Noah", "Norbert", "Olaf", "Olga",
    "Pamela", "Pat", "Patrick", "Pauline", "Paweł", "Peggy", "Petra", "Phil", "Phillip", "Piotr", "Rainer", "Ralf", "Ramon", "Randy",
    "Renate", "René", "Rick", "Roger", "Roland", "Ron", "Ronald", "Ross", "Roy", "Russell", "Ryan", "Sabine", "Sally", "Sam", "Samantha",
    "Sandra", "Sarah", "Scott", "Sean", "Sergio", "Sharon", "Sheila", "Shirley", "Sigrid", "Silke", "Sofía", "Sonia", "Sophia", "Sophie",
    "Stacy", "Stephanie", "Stephen", "Steve", "Steven", "Stuart", "Sue", "Sven", "Svenja", "Sylvia", "Søren", "Tania", "Tanja", "Ted",
    "Terry", "Thabo", "Thandi", "Theo", "Theresa", "Tim", "Timo", "Timothy", "Tina", "Todd", "Tom", "Tony", "Tracy", "Travis", "Tyler",
    "Ulrich", "Ursula", "Uwe", "Valerie", "Vanessa", "Vera", "Veronica", "Victoria", "Virginia", "Vladimir", "Walter", "Wanda", "Wayne",
    "Wendy", "Werner", "Wesley", "William", "Wolfgang", "Xavier", "Yasmin", "Yolanda", "Yvonne", "Zachary", "Zoe", "Zoë", "Ángel",
    "Łukasz"};

// In the order of their bytes.
constexpr Word other_last_names[] = {
    "Ackermann", "Agarwal", "Ali", "Almeida", "Andersson", "Armstrong", "Barbosa", "Barton", "Baumann", "Becerra", "Botha", "Busch",
    "Böhm", "Carvalho", "Chan", "Chang", "Chavez", "Cho", "Cunningham", "Dlamini", "Dominguez", "Duarte", "Dupont", "Dvořák", "Díaz",
    "Engelhardt", "Esposito", "Evers", "Fernandes", "Fernandez", "Ferreira", "Fischer", "Fuentes", "Gallagher", "Gallo", "García",
    "Gonzales", "Greene", "Guerrero", "Gutierrez", "Guzman", "Gómez", "Günther", "Hansson", "Hartmann", "Hassan", "Hernández", "Herrmann",
    "Hoffmann", "Huang", "Hussain", "Hussein", "Ivanov", "Jacobs", "Janssen", "Jenkins", "Jimenez", "Johansen", "Johnston", "Kaur", "Kim",
    "Kovács", "Kowalska", "Kruger", "Krüger", "Köhler", "König", "Kühn", "Lehman", "Lim", "Lin", "Lindqvist", "Liu", "Lombardi", "Ludwig",
    "Luna", "López", "Mahlangu", "Marais", "Martins", "Martínez", "Matthews", "Mayer", "McCarthy", "McDonald", "Medina", "Mendez", "Moyo",
    "Müller", "Nagy", "Naidoo", "Ndlovu", "Neumann", "Nilsson", "Nkosi", "Novotný", "Nowakowski", "Nuñez", "Oliveira", "Olsson", "Park",
    "Pereira", "Peters", "Peterson", "Petrov", "Pieters", "Pillay", "Popov", "Pretorius", "Pérez", "Ricci", "Richards", "Richardson",
    "Richter", "Rios", "Robertson", "Robinson", "Rodrigues", "Rodriguez", "Rogers", "Rojas", "Romano", "Romero", "Roth", "Ruiz", "Russo",
    "Ryan", "Salazar", "Sanders", "Santiago", "Santos", "Sato", "Saunders", "Scheffer", "Schmid", "Schmidt", "Schmitt", "Schmitz",
    "Schneider", "Scholz", "Schröder", "Schubert", "Schulte", "Schulz", "Schumacher", "Schuster", "Schwarz", "Schäfer", "Sharma", "Shaw",
    "Silva", "Simmons", "Simpson", "Singh", "Sithole", "Smit", "Smith", "Sorensen", "Soto", "Sousa", "Souza", "Steiner", "Stevens",
    "Stewart", "Suarez", "Sullivan", "Suzuki", "Svensson", "Szabó", "Sánchez", "Tanaka", "Taylor", "Thompson", "Thomson", "Torres",
    "Tran", "Tucker", "Vargas", "Vasquez", "Vega", "Venter", "Vogel", "Wagner", "Walker", "Wallace", "Walsh", "Walter", "Wang", "Ward",
    "Watson", "Watts", "Weber", "Weiss", "Werner", "West", "Wheeler", "White", "Wilkinson", "Williams", "Williamson", "Wilson", "Winkler",
    "Winter", "Wiśniewski", "Wolf", "Wolff", "Wong", "Wood", "Woods", "Wright", "Wu", "Wójcik", "Yamamoto", "Yang", "Yilmaz", "Young",
    "Zhang", "Zhao", "Ziegler", "Zimmermann", "Zulu"};

using Names = std::array<Word, 256>;

static Names sorted(Names names)
{
	std::sort(names.begin(), names.end());
	return names;
}

bool is_drawn_first_name(Word word)
{
	static const Names names = sorted(first_names);
	return std::binary_search(names.begin(), names.end(), word);
}

bool is_drawn_last_name(Word word)
{
	static const Names names = sorted(last_names);
	return std::binary_search(names.begin(), names.end(), word);
}

static_assert(std::is_sorted(std::begin(other_first_names), std::end(other_first_names)) &&
    std::is_sorted(std::begin(other_last_names), std::end(other_last_names)));

// Every word of a text is looked up.
using Known = std::unordered_set<Word>;

template <class Others>
static Known known(const Names &drawn, const Others &others)
{
	Known all(drawn.begin(), drawn.end());
	all.insert(std::begin(others), std::end(others));
	return all;
}

bool is_known_first_name(Word word)
{
	static const Known names = known(first_names, other_first_names);
	return names.count(word) > 0;
}

bool is_known_last_name(Word word)
{
	static const Known names = known(last_names, other_last_names);
	return names.count(word) > 0;
}

}  // namespace core
